using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>From which address answers come, and how clients of one family reach real servers of the other.</summary>
public sealed class UdpAddressTests : IDisposable
{
    private readonly FakeDatagramServer _alpha = FakeDatagramServer.Named("alpha ");
    private readonly FakeDatagramServer _beta = FakeDatagramServer.Named("beta ");

    public void Dispose()
    {
        _alpha.Dispose();
        _beta.Dispose();
    }

    [Fact]
    public async Task An_answer_leaves_from_the_address_that_was_asked_where_it_listens_on_every_address()
    {
        int port = FreePort(IPAddress.Any);
        await using Director director = Director.Start(Director.Udp(_alpha.Address, _beta.Address) with { Address = new(IPAddress.Any, port) });
        IPAddress source = IPAddress.Parse("127.97.0.9");
        int sourcePort = FreePort(source);

        // One client address and port asks two addresses: two sessions.
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Bind(new IPEndPoint(source, sourcePort));
        string[] answers = [await AskAsync(client, "127.97.0.1"), await AskAsync(client, "127.97.0.2"), await AskAsync(client, "127.97.0.1")];

        Assert.Equal(["alpha  from 127.97.0.1", "beta  from 127.97.0.2", "alpha  from 127.97.0.1"], answers);

        async Task<string> AskAsync(Socket from, string asked)
        {
            await from.SendToAsync(Array.Empty<byte>(), new IPEndPoint(IPAddress.Parse(asked), port));
            byte[] buffer = new byte[100];
            SocketReceiveFromResult answer = await from.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0)).WaitAsync(TimeSpan.FromSeconds(15));
            return $"{System.Text.Encoding.ASCII.GetString(buffer, 0, answer.ReceivedBytes)} from {((IPEndPoint)answer.RemoteEndPoint).Address}";
        }
    }

    [Fact]
    public async Task Every_ipv6_address_is_listened_on_and_answers_come_from_the_one_asked()
    {
        int port = FreePort(IPAddress.IPv6Any);
        await using Director director = Director.Start(Director.Udp(_alpha.Address) with { Address = new(IPAddress.IPv6Any, port) });

        Assert.Equal("alpha 1", await UdpClients.AskOnceAsync(new(IPAddress.IPv6Loopback, port), "1")); // from IPv6 to IPv4
    }

    [Fact]
    public async Task An_ipv4_client_reaches_an_ipv6_real_server()
    {
        using FakeDatagramServer six = FakeDatagramServer.Named("six ", new(IPAddress.IPv6Loopback, 0));
        await using Director director = Director.Start(Director.Udp(six.Address));

        Assert.Equal("six 1", await UdpClients.AskOnceAsync(director.Address, "1"));
        Assert.Equal(IPAddress.IPv6Loopback, six.Received.Single().From.Address);
    }

    [Fact]
    public async Task Dh_goes_by_the_address_that_was_asked()
    {
        int port = FreePort(IPAddress.Any);
        await using Director director = Director.Start(Director.Udp(_alpha.Address, _beta.Address) with { Address = new(IPAddress.Any, port), Scheduler = SchedulerKind.DestinationHash });

        List<string> met = [];
        for (byte asked = 1; asked <= 16; asked++)
        {
            IPEndPoint to = new(new IPAddress([127, 97, 1, asked]), port);
            met.Add(await UdpClients.AskOnceAsync(to, ""));
            Assert.Equal(met[^1], await UdpClients.AskOnceAsync(to, ""));
        }

        Assert.Equal(["alpha ", "beta "], met.Distinct().Order());
    }

    [Fact]
    public async Task Each_port_of_a_range_is_served_and_a_real_server_without_a_port_keeps_it()
    {
        IPEndPoint first = Director.FreeAddress();
        ListenAddress range = new(first.Address, 20_000, 20_003);
        IPAddress real = Director.FreeAddress().Address;
        using FakeDatagramServer second = FakeDatagramServer.Named("1 ", new(real, 20_001)), third = FakeDatagramServer.Named("2 ", new(real, 20_002));
        await using Director director = Director.Start(Director.Udp(new IPEndPoint(real, 0)) with { Addresses = [range] });

        Assert.Equal(("1 a", "2 b"), (await UdpClients.AskOnceAsync(new(first.Address, 20_001), "a"), await UdpClients.AskOnceAsync(new(first.Address, 20_002), "b")));
        Assert.Equal(2, director.RealServer(0).ActiveConnections);
    }

    [Fact]
    public async Task A_datagram_that_is_too_long_for_the_other_family_is_dropped_and_counted_and_the_next_goes_on()
    {
        const int LongestOfIpv6 = 65_527, LongestOfIpv4 = 65_507;
        int port = FreePort(IPAddress.IPv6Loopback);
        await using Director director = Director.Start(Director.Udp(_alpha.Address) with { Address = new(IPAddress.IPv6Loopback, port) });
        using Socket client = UdpClients.Connect(director.Address);

        client.Send(new byte[LongestOfIpv6]);
        client.Say("1");

        Assert.Equal("alpha 1", await client.HearAsync());
        Assert.Equal(1, await director.CountAsync(ForwardOutcome.DatagramTooLarge));
        client.Send(new byte[LongestOfIpv4]);
        await Eventually.HoldsAsync(() => _alpha.Received.Any(r => r.Text.Length == LongestOfIpv4)); // the longest there is arrives whole
    }

    private static int FreePort(IPAddress address)
    {
        using Socket probe = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        probe.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
