using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/service.h: which virtual server.</summary>
public sealed class ServiceTests
{
    private const ushort AnyPort = 2, AnyAddress = 3;

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_port_counts_before_any_port_and_the_address_before_any_address(bool isIpv6)
    {
        using Datapath datapath = Three();

        datapath.Arrives(To(isIpv6, isIpv6 ? Web.Virtual6 : Web.Virtual4, 80));
        datapath.Arrives(To(isIpv6, isIpv6 ? Web.Virtual6 : Web.Virtual4, 81));
        datapath.Arrives(To(isIpv6, isIpv6 ? Web.Virtual6 : Web.Virtual4, 82));
        datapath.Arrives(To(isIpv6, isIpv6 ? "2001:db8:ffff::1" : "203.0.113.1", 80));

        Assert.Equal(1u, datapath.TrafficOfVirtualServer(Web.Id).Packets);
        Assert.Equal(2u, datapath.TrafficOfVirtualServer(AnyPort).Packets);
        Assert.Equal(1u, datapath.TrafficOfVirtualServer(AnyAddress).Packets);
    }

    [KernelFact]
    public void Another_protocol_at_the_same_address_and_port_is_not_served()
    {
        using Datapath datapath = Web.With(Web.By(Method.Dr));

        Sent sent = datapath.Arrives(Web.FromClient(false).Udp(Web.ClientPort, 80));

        Assert.Equal(Verdict.Pass, sent.Verdict);
    }

    [KernelFact]
    public void Any_port_and_any_address_are_asked_for_only_when_switched_on()
    {
        using Datapath datapath = Three(switches: false);

        Assert.Equal(Verdict.Pass, datapath.Arrives(To(false, Web.Virtual4, 81)).Verdict);
        Assert.Equal(Verdict.Pass, datapath.Arrives(To(false, "203.0.113.1", 80)).Verdict);
        Assert.Equal(Verdict.Transmit, datapath.Arrives(To(false, Web.Virtual4, 80)).Verdict);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_service_that_is_remembered_gives_the_same_answer_and_is_looked_up_again_when_its_id_is_given_up(bool isIpv6)
    {
        using Datapath datapath = Three(remembers: true);
        string address = isIpv6 ? Web.Virtual6 : Web.Virtual4;
        foreach (ushort port in new ushort[] { 80, 81, 80, 81, 80 })
            datapath.Arrives(To(isIpv6, address, port));
        Assert.Equal(3u, datapath.TrafficOfVirtualServer(Web.Id).Packets);
        Assert.Equal(2u, datapath.TrafficOfVirtualServer(AnyPort).Packets);

        datapath.Set(AnyAddress, new VirtualServer { Hash = HashKind.Source, Slots = 1 }, address, 80);
        datapath.Map<uint, VirtualServer>("virtual_servers").Set(Web.Id, default);
        datapath.Arrives(To(isIpv6, address, 80));

        Assert.Equal(1u, datapath.TrafficOfVirtualServer(AnyAddress).Packets);
    }

    private static Datapath Three(bool switches = true, bool remembers = false)
    {
        Datapath datapath = Datapath.Load(opened =>
        {
            opened.SetConstant("has_any_port", switches);
            opened.SetConstant("has_any_address", switches);
            opened.SetConstant("remembers_services", remembers);
        });
        VirtualServer virtualServer = new() { Hash = HashKind.Source, Slots = 1 };
        (ushort Id, string Address4, string Address6, ushort Port)[] all = [(Web.Id, Web.Virtual4, Web.Virtual6, 80), (AnyPort, Web.Virtual4, Web.Virtual6, 0), (AnyAddress, "0.0.0.0", "::", 80)];
        foreach ((ushort id, string address4, string address6, ushort port) in all)
        {
            datapath.Set(id, virtualServer, address4, port, ProtocolType.Tcp);
            datapath.Set(id, virtualServer, address6, port, ProtocolType.Tcp);
            datapath.SetTable(id, new Slot { Current = Web.Real, Previous = Web.Real });
        }

        datapath.Set(Web.Real, Web.By(Method.Dr));
        return datapath;
    }

    private static PacketBuilder To(bool isIpv6, string address, ushort port) =>
        (isIpv6 ? PacketBuilder.Ip.Ipv6(Web.Client6, address) : PacketBuilder.Ip.Ipv4(Web.Client4, address)).Tcp(Web.ClientPort, port);
}
