using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/probe.h and bpf/probe.bpf.c: a health check takes the way that clients' packets take.</summary>
public sealed class ProbeTests
{
    private const uint Mark = 0xBA5C0000 | Scene.Real;

    [KernelTheory]
    [InlineData(Method.Dr)]
    [InlineData(Method.Ipip)]
    [InlineData(Method.Gue)]
    [InlineData(Method.Gre)]
    public void A_check_becomes_what_a_client_s_packet_would_be(Method method)
    {
        using Datapath probe = Probe(method, Scene.RealServer4, Scene.Virtual4);
        PacketBuilder check = PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4).Tcp(33000, 80, TcpFlag.Syn);
        PacketBuilder meant = PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.Virtual4).Tcp(33000, 80, TcpFlag.Syn);

        Sent sent = probe.SendMarked(Scene.ToRealServer(check).Frame(), Mark);

        Assert.Equal(Verdict.Pass, sent.Verdict);
        Assert.Equal(Scene.ToRealServer(PacketBuilder.Ip).Frame()[..12], sent.Frame[..12]);
        Assert.Equal(meant.Packet(), sent.Frame[^meant.Packet().Length..]);
        Assert.True(PacketText.HasRightChecksums(sent.Frame), $"{sent}");
        Assert.Equal(method != Method.Dr, $"{sent}".Contains($"{Scene.Director4} > {Scene.RealServer4}", StringComparison.Ordinal));
    }

    [KernelTheory]
    [InlineData(Method.Dr)]
    [InlineData(Method.Gue)]
    public void A_check_over_ipv6_too(Method method)
    {
        using Datapath probe = Probe(method, Scene.RealServer6, Scene.Virtual6);
        PacketBuilder meant = PacketBuilder.Ip.Ipv6(Scene.Director6, Scene.Virtual6).Udp(33000, 53).Payload("question");

        Sent sent = probe.SendMarked(Scene.ToRealServer(PacketBuilder.Ip.Ipv6(Scene.Director6, Scene.RealServer6).Udp(33000, 53).Payload("question")).Frame(), Mark);

        Assert.Equal(meant.Packet(), sent.Frame[^meant.Packet().Length..]);
        Assert.True(PacketText.HasRightChecksums(sent.Frame), $"{sent}");
    }

    [KernelTheory]
    [InlineData(DatapathObject.Xdp)]
    [InlineData(DatapathObject.Tcx)]
    public void The_answer_comes_back_from_the_address_that_was_checked(string file)
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), file: file);
        using Datapath probe = Probe(Method.Dr, Scene.RealServer4, Scene.Virtual4, datapath);
        probe.SendMarked(Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4).Tcp(33000, 80, TcpFlag.Syn)).Frame(), Mark);

        Sent up = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Director4).Tcp(80, 33000, TcpFlag.Syn | TcpFlag.Ack)));

        Assert.Equal(Verdict.Pass, up.Verdict);
        Assert.Equal(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.RealServer4, Scene.Director4).Tcp(80, 33000, TcpFlag.Syn | TcpFlag.Ack)).Frame(), up.Frame);
    }

    [KernelFact]
    public void An_answer_over_ipv6_too()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        using Datapath probe = Probe(Method.Dr, Scene.RealServer6, Scene.Virtual6, datapath);
        probe.SendMarked(Scene.ToRealServer(PacketBuilder.Ip.Ipv6(Scene.Director6, Scene.RealServer6).Udp(33000, 53).Payload("?")).Frame(), Mark);

        Sent up = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Virtual6, Scene.Director6).Udp(53, 33000).Payload("!")));

        Assert.Equal(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.RealServer6, Scene.Director6).Udp(53, 33000).Payload("!")).Frame(), up.Frame);
    }

    [KernelFact]
    public void What_nobody_asked_for_passes_unchanged()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Director4).Tcp(80, 33001, TcpFlag.Syn | TcpFlag.Ack)).Frame();

        Sent up = datapath.Send(frame);

        Assert.Equal(Verdict.Pass, up.Verdict);
        Assert.Equal(frame, up.Frame);
    }

    [KernelTheory]
    [InlineData("no mark", 0u, Method.Dr, Scene.RealServer4)]
    [InlineData("somebody else's mark", 0xBA5D0000u | Scene.Real, Method.Dr, Scene.RealServer4)]
    [InlineData("a real server that is not there", 0xBA5C0000u | 77, Method.Dr, Scene.RealServer4)]
    [InlineData("another address", Mark, Method.Dr, "10.0.0.99")]
    [InlineData("a real server behind NAT, which is checked at its own address", Mark, Method.Nat, Scene.RealServer4)]
    public void What_is_no_check_leaves_unchanged(string which, uint mark, Method method, string to)
    {
        using Datapath probe = Probe(method, Scene.RealServer4, Scene.Virtual4);
        byte[] frame = Scene.ToRealServer(PacketBuilder.Ip.Ipv4(Scene.Director4, to).Tcp(33000, 80, TcpFlag.Syn)).Frame();

        Sent sent = probe.SendMarked(frame, mark);

        Assert.True(sent.Verdict == Verdict.Pass, which);
        Assert.Equal(frame, sent.Frame);
        Assert.Empty(probe.Map<ProbeAnswer, Address>("probe_answers").Entries());
    }

    private static Datapath Probe(Method method, string realServer, string virtualAddress, Datapath? datapath = null)
    {
        Datapath probe = Datapath.Load(opened =>
        {
            if (datapath is not null)
                opened.Reuse("probe_answers", datapath.AnyMap("probe_answers"));
        }, DatapathObject.Probe);
        probe.Set(Scene.Real, Scene.By(method, realServer));
        probe.Map<uint, Address>("probe_targets").Set(Scene.Real, Address.Of(IPAddress.Parse(virtualAddress)));
        return probe;
    }
}
