using Bascule.Linux.Process;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/icmp.h: echo answered, too-big sent, errors taken to the real server of the packet they are about.</summary>
public sealed class IcmpTests
{
    private const byte EchoReply = 0, Unreachable = 3, Echo = 8, TimeExceeded = 11;
    private const byte Unreachable6 = 1, TooBig6 = 2, TimeExceeded6 = 3, Echo6 = 128, EchoReply6 = 129;
    private const byte FragmentationNeeded = 4, InternetworkControl = 0xC0;
    private const string Router4 = "203.0.113.1", Router6 = "2001:db8:99::1";

    [KernelFact]
    public void An_echo_request_to_a_virtual_address_is_answered_in_place()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));

        Sent sent = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, ttl: 3, id: 77).Icmp(Echo, 0, 0x1234_0001).Payload("seesaw")));

        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(Scene.Leaving(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4, ttl: 64, id: 77).Icmp(EchoReply, 0, 0x1234_0001).Payload("seesaw")).Frame(), sent.Frame);
    }

    [KernelFact]
    public void An_echo_request_over_ipv6_is_answered_too()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));

        Sent sent = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6, hopLimit: 3).Icmpv6(Echo6, 0, 0x1234_0001).Payload("odd")));

        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(Scene.Leaving(PacketBuilder.Ip.Ipv6(Scene.Virtual6, Scene.Client6).Icmpv6(EchoReply6, 0, 0x1234_0001).Payload("odd")).Frame(), sent.Frame);
    }

    [KernelFact]
    public void An_echo_request_behind_VLAN_tags_is_answered_behind_them()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        PacketBuilder request = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Icmp(Echo, 0, 1);

        Sent sent = datapath.Send(PacketBuilder.Ethernet().Vlan(100, 0x88A8).Vlan(200).Then(request));

        PacketBuilder expected = PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac).Vlan(100, 0x88A8).Vlan(200)
            .Then(PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Icmp(EchoReply, 0, 1));
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(expected.Frame(), sent.Frame);
    }

    public static TheoryData<string, PacketBuilder> NotAnswered => new()
    {
        { "to an address that is not ours", PacketBuilder.Ip.Ipv4(Scene.Client4, "192.0.2.11").Icmp(Echo, 0, 1) },
        { "with IP options", PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, options: [7, 7, 4, 0, 0, 0, 0]).Icmp(Echo, 0, 1) },
        { "from a multicast address", PacketBuilder.Ip.Ipv4("224.0.0.1", Scene.Virtual4).Icmp(Echo, 0, 1) },
        { "from nowhere", PacketBuilder.Ip.Ipv6("::", Scene.Virtual6).Icmpv6(Echo6, 0, 1) },
        { "that is an answer", PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Icmp(EchoReply, 0, 1) },
        { "behind a destination options header", PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Extension(60).Icmpv6(Echo6, 0, 1) },
        { "that asks who has an address (neighbour solicitation)", PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Icmpv6(135) },
    };

    [KernelTheory]
    [MemberData(nameof(NotAnswered))]
    public void What_the_stack_must_answer_passes_unchanged(string which, PacketBuilder packet)
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        byte[] frame = Scene.Arriving(packet).Frame();

        Sent sent = datapath.Send(frame);

        Assert.True(sent.Verdict == Verdict.Pass, $"{which}: {sent}");
        Assert.Equal(frame, sent.Frame);
    }

    [KernelTheory]
    [InlineData(Method.Dr, 1400, 1400)]
    [InlineData(Method.Ipip, 1400, 1380)]
    [InlineData(Method.Gue, 1400, 1372)]
    [InlineData(Method.Gre, 1400, 1376)]
    public void A_packet_that_does_not_fit_the_way_is_answered_with_the_mtu_that_does(Method method, ushort mtu, ushort fits)
    {
        using Datapath datapath = Scene.WithOne(Scene.By(method, mtu: mtu));
        PacketBuilder packet = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(1460);

        Sent sent = datapath.Send(Scene.Arriving(packet));

        PacketBuilder expected = PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4, tos: InternetworkControl)
            .Icmp(Unreachable, FragmentationNeeded, fits).Payload(packet.Packet().AsSpan(0, 548));
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(Scene.Leaving(expected).Frame(), sent.Frame);
        Assert.Equal(1u, datapath.Drops(DropReason.TooBig));
    }

    [KernelFact]
    public void A_packet_that_just_fits_the_way_is_forwarded()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Ipip, mtu: 1400));
        PacketBuilder packet = PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(1380 - 40);

        Assert.Equal(1400 + 14, datapath.Send(Scene.Arriving(packet)).Frame.Length);
        Assert.Equal(0u, datapath.Drops(DropReason.TooBig));
    }

    [KernelFact]
    public void Over_ipv6_the_answer_is_packet_too_big_with_as_much_of_the_packet_as_fits_1280_bytes()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Ipip, Scene.RealServer6, mtu: 1400));
        PacketBuilder packet = PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(4242, 80).PayloadOf(1440);

        Sent sent = datapath.Send(PacketBuilder.Ethernet().Vlan(7).Then(packet));

        PacketBuilder expected = PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac).Vlan(7)
            .Then(PacketBuilder.Ip.Ipv6(Scene.Virtual6, Scene.Client6).Icmpv6(TooBig6, 0, 1360).Payload(packet.Packet().AsSpan(0, 1232)));
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal(expected.Frame(), sent.Frame);
    }

    [KernelFact]
    public void Over_ipv6_nobody_is_told_to_send_less_than_1280_bytes()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Ipip, Scene.RealServer6, mtu: 1280));

        Sent large = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(4242, 80).PayloadOf(1300)));
        Sent least = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(4242, 80).PayloadOf(1280 - 60)));

        Assert.Contains("icmpv6 type 2 code 0 rest 00000500", $"{large}", StringComparison.Ordinal);
        Assert.Equal(Verdict.Drop, least.Verdict);
    }

    [KernelFact]
    public void One_client_is_told_ten_times_a_second_and_no_more()
    {
        using PinnedThread pinned = new(PinnedThread.CurrentProcessor); // counted per processor
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr, mtu: 1400)), datapath =>
        {
            byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(1460)).Frame();

            int told = Enumerable.Range(0, 200).Count(_ => datapath.Send(frame).Verdict == Verdict.Transmit);

            Assert.InRange(told, 10, 20); // twice where a second ends in between
            Assert.Equal(200u, datapath.Drops(DropReason.TooBig));
        });
    }

    [KernelFact]
    public void All_clients_together_are_told_a_thousand_times_a_second_and_no_more()
    {
        using PinnedThread pinned = new(PinnedThread.CurrentProcessor); // counted per processor
        Promptly.Test(() => Scene.WithOne(Scene.By(Method.Dr, mtu: 1400)), datapath =>
        {
            byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(1460)).Frame();
            int told = 0;

            for (int i = 0; i < 10_000; i++)
            {
                (frame[14 + 14], frame[14 + 15]) = ((byte)(i >> 8), (byte)i); // of the source address
                told += datapath.Send(frame).Verdict == Verdict.Transmit ? 1 : 0;
            }

            Assert.InRange(told, 1000, 10_000 / 2);
        });
    }

    [KernelFact]
    public void Nobody_is_told_about_an_error_that_is_too_big_or_about_a_later_fragment()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr, mtu: 600));
        PacketBuilder inner = PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Tcp(80, 4242).PayloadOf(700);
        PacketBuilder error = PacketBuilder.Ip.Ipv4(Router4, Scene.Virtual4).Icmp(Unreachable, 1).Then(inner);

        Assert.Equal(Verdict.Drop, datapath.Send(Scene.Arriving(error)).Verdict);
    }

    public static TheoryData<Method, byte, byte, uint> Errors
    {
        get
        {
            TheoryData<Method, byte, byte, uint> errors = [];
            foreach (Method method in new[] { Method.Dr, Method.Ipip, Method.Gue, Method.Gre })
            {
                errors.Add(method, Unreachable, 1, 0);
                errors.Add(method, Unreachable, FragmentationNeeded, 1280);
                errors.Add(method, TimeExceeded, 0, 0);
            }

            return errors;
        }
    }

    [KernelTheory]
    [MemberData(nameof(Errors))]
    public void An_error_about_a_reply_goes_where_the_flow_goes(Method method, byte type, byte code, uint rest)
    {
        using Datapath datapath = Scene.WithOne(Scene.By(method));
        SpreadOverSixteen(datapath, Scene.Id4, method, Scene.RealServer4);

        for (ushort port = 1024; port < 1124; port++)
        {
            Sent flow = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(port, 80)));
            byte[] quoted = PacketBuilder.Ip.Ipv4(Scene.Virtual4, Scene.Client4).Tcp(80, port).PayloadOf(100).Packet()[..28];
            PacketBuilder error = PacketBuilder.Ip.Ipv4(Router4, Scene.Virtual4).Icmp(type, code, rest).Payload(quoted);
            Sent about = datapath.Send(Scene.Arriving(error));

            Assert.Equal(Verdict.Transmit, about.Verdict);
            Assert.Equal(flow.Frame[..12], about.Frame[..12]);
            Assert.Equal(error.Packet(), about.Frame[^error.Packet().Length..]);
        }
    }

    [KernelTheory]
    [InlineData(Unreachable6, 0, 0)]
    [InlineData(TooBig6, 0, 1280)]
    [InlineData(TimeExceeded6, 0, 0)]
    public void An_ipv6_error_about_a_reply_goes_where_the_flow_goes(byte type, byte code, uint rest)
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        SpreadOverSixteen(datapath, Scene.Id6, Method.Dr, Scene.RealServer6);

        for (ushort port = 1024; port < 1124; port++)
        {
            Sent flow = datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6).Tcp(port, 80)));
            PacketBuilder quoted = PacketBuilder.Ip.Ipv6(Scene.Virtual6, Scene.Client6).Extension(60).Tcp(80, port).PayloadOf(100);
            PacketBuilder error = PacketBuilder.Ip.Ipv6(Router6, Scene.Virtual6).Icmpv6(type, code, rest).Payload(quoted.Packet());
            Sent about = datapath.Send(Scene.Arriving(error));

            Assert.Equal(Verdict.Transmit, about.Verdict);
            Assert.Equal(flow.Frame[..12], about.Frame[..12]);
            Assert.Equal(error.Packet(), about.Frame[14..]);
        }
    }

    [KernelFact]
    public void An_error_about_somebody_else_s_packet_passes_unchanged()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Router4, Scene.Virtual4).Icmp(Unreachable, 1)
            .Then(PacketBuilder.Ip.Ipv4("192.0.2.99", Scene.Client4).Tcp(80, 4242))).Frame();

        Sent sent = datapath.Send(frame);

        Assert.Equal(Verdict.Pass, sent.Verdict);
        Assert.Equal(frame, sent.Frame);
    }

    // By source and port over sixteen real servers, each with a MAC of its own.
    private static void SpreadOverSixteen(Datapath datapath, ushort id, Method method, string address)
    {
        Slot[] slots = new Slot[64];
        for (ushort server = 1; server <= 16; server++)
            datapath.Set(server, Scene.By(method, address) with { MacDestination = Mac.Parse($"02:00:00:00:01:{server:x2}") });
        for (int i = 0; i < slots.Length; i++)
            slots[i] = new() { Current = (ushort)(1 + (i % 16)), Previous = (ushort)(1 + (i % 16)) };
        datapath.Map<uint, VirtualServer>("virtual_servers").Set(id, new() { Scheduler = Scheduler.Table, Hash = HashKind.KeyedSourcePort, Slots = 64, Members = 16 });
        datapath.SetTable(id, slots);
    }
}
