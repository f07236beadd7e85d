using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Tests.Client;

public sealed class ListTextTests
{
    [Fact]
    public void Lists_weights_and_connections_as_ipvsadm_does() => Assert.Equal("""
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Forward  Weight ActiveConn InActConn
        TCP  192.0.2.10:80 mh (mh-fallback,mh-port) persistent 300 mask 24
          -> 10.0.0.11:80       dr            1         12         3
          -> [2001:db8::11]:80  tun ipip  65535     100000         0
        UDP  192.0.2.53:53 rr ops
          -> 10.0.0.21:53       dr            0          0         0

        """, Written(ListView.Plain));

    [Fact]
    public void Shows_whom_a_virtual_server_believes_and_what_it_tells()
    {
        VirtualServerStatus usual = StatusTextTests.Web;

        Assert.Equal("", ListText.Clients(usual));
        Assert.Equal(" proxyProtocol from 10.1.0.0/24,10.2.0.1/32", ListText.Clients(usual with { ProxyProtocol = new(["10.1.0.0/24", "10.2.0.1/32"], Send: null) }));
        Assert.Equal(" proxyProtocol from 10.1.0.0/24 send v2", ListText.Clients(usual with { ProxyProtocol = new(["10.1.0.0/24"], "v2") }));
        Assert.Equal(" proxyProtocol send v1 transparent", ListText.Clients(usual with { ProxyProtocol = new([], "v1"), IsTransparent = true }));
    }

    [Fact]
    public void Shows_what_went_through_and_a_dash_for_what_nobody_counts() => Assert.Equal("""
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port                                            Conns InPkts OutPkts InBytes OutBytes
        TCP  192.0.2.10:80 mh (mh-fallback,mh-port) persistent 300 mask 24     7  12345       0  999999        0
          -> 10.0.0.11:80                                                      7  12345       0  999999        0
          -> [2001:db8::11]:80                                                 1      -       -     300     4000
        UDP  192.0.2.53:53 rr ops                                              -      -       -       -        -
          -> 10.0.0.21:53                                                      -      -       -       -        -

        """, Written(ListView.Stats));

    [Fact]
    public void Shows_what_goes_through_in_a_second() => Assert.Equal("""
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port                                            CPS InPPS OutPPS InBPS OutBPS
        TCP  192.0.2.10:80 mh (mh-fallback,mh-port) persistent 300 mask 24   3  1000      0 64000      0
          -> 10.0.0.11:80                                                    -     -      -     -      -
          -> [2001:db8::11]:80                                               -     -      -     -      -
        UDP  192.0.2.53:53 rr ops                                            -     -      -     -      -
          -> 10.0.0.21:53                                                    -     -      -     -      -

        """, Written(ListView.Rate));

    [Fact]
    public void Shows_thresholds_with_0_for_none() => Assert.Equal("""
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Uthreshold Lthreshold ActiveConn InActConn
        TCP  192.0.2.10:80 mh (mh-fallback,mh-port) persistent 300 mask 24
          -> 10.0.0.11:80              500        375         12         3
          -> [2001:db8::11]:80           0          0     100000         0
        UDP  192.0.2.53:53 rr ops
          -> 10.0.0.21:53                0          0          0         0

        """, Written(ListView.Thresholds));

    [Fact]
    public void Shows_how_many_clients_are_remembered() => Assert.Equal("""
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Weight PersistConn ActiveConn InActConn
        TCP  192.0.2.10:80 mh (mh-fallback,mh-port) persistent 300 mask 24
          -> 10.0.0.11:80            1          42         12         3
          -> [2001:db8::11]:80   65535           0     100000         0
        UDP  192.0.2.53:53 rr ops
          -> 10.0.0.21:53            0           -          0         0

        """, Written(ListView.Persistent, new SessionCount("web", "10.0.0.11:80", 42), new SessionCount("other", "[2001:db8::11]:80", 7)));

    [Fact]
    public void A_connection_is_a_line_with_the_time_it_has_left()
    {
        using StringWriter to = new() { NewLine = "\n" };
        ConnectionText text = new(to);

        text.WriteHeading();
        text.Write(new() { Protocol = "tcp", State = "ESTABLISHED", ExpiresIn = 898, Client = "198.51.100.7:4242", VirtualAddress = "192.0.2.10:80", VirtualServer = "web", RealServer = "10.0.0.11:80" });
        text.Write(new() { Protocol = "udp", State = "UDP", ExpiresIn = 7, Client = "[2001:db8::7]:4242", VirtualAddress = "[2001:db8::10]:53", VirtualServer = "dns", RealServer = null });

        Assert.Equal("""
            pro expire state       source                virtual               destination
            TCP 14:58  ESTABLISHED 198.51.100.7:4242     192.0.2.10:80         10.0.0.11:80
            UDP 00:07  UDP         [2001:db8::7]:4242    [2001:db8::10]:53     (gone)

            """, to.ToString());
    }

    [Fact]
    public void Lists_all_addresses_of_a_virtual_server_in_one_line()
    {
        using StringWriter to = new() { NewLine = "\n" };
        VirtualServerStatus shop = Web with { Addresses = ["192.0.2.10:80", "192.0.2.10:8000-8099", "[2001:db8::10]:*"], RealServers = [StatusTextTests.RealServer("10.0.0.11:*")] };

        ListText.Write(to, [shop], ListView.Plain, []);

        Assert.Contains("TCP  192.0.2.10:80,192.0.2.10:8000-8099,[2001:db8::10]:* mh ", to.ToString(), StringComparison.Ordinal);
        Assert.Contains("  -> 10.0.0.11:* ", to.ToString(), StringComparison.Ordinal);
    }

    private static string Written(ListView view, params SessionCount[] sessions)
    {
        using StringWriter to = new() { NewLine = "\n" };
        ListText.Write(to, [Web, Dns], view, sessions);
        return to.ToString();
    }

    private static VirtualServerStatus Web => StatusTextTests.Web with
    {
        Protocol = VirtualServerProtocol.Tcp,
        Scheduler = "mh",
        SchedulerFlags = ["mh-fallback", "mh-port"],
        Forwarding = "dr",
        Persistence = new("source") { TimeoutSeconds = 300, Mask4 = 24, Mask6 = 128 },
        Traffic = new(7, 12345, 999_999, 0, 0),
        Rate = new(2.6, 1000.4, 64_000, 0, 0),
        RealServers =
        [
            StatusTextTests.RealServer("10.0.0.11:80") with
            {
                Forwarding = "dr", ActiveConnections = 12, InactiveConnections = 3, MaxConnections = 500, ResumeConnections = 375, Traffic = new(7, 12345, 999_999, 0, 0),
            },
            StatusTextTests.RealServer("[2001:db8::11]:80") with { Forwarding = "tun ipip", Weight = 65_535, ActiveConnections = 100_000, Traffic = new(1, null, 300, null, 4000) },
        ],
    };

    private static VirtualServerStatus Dns => StatusTextTests.Web with
    {
        Name = "dns",
        Addresses = ["192.0.2.53:53"],
        Protocol = VirtualServerProtocol.Udp,
        Scheduler = "rr",
        Forwarding = "dr",
        OnePacket = true,
        Traffic = null,
        RealServers = [StatusTextTests.RealServer("10.0.0.21:53") with { Forwarding = "dr", Weight = 0 }],
    };
}
