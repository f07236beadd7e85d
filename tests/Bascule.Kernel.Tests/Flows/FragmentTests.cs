using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>Fragments follow their first, which alone has the ports.</summary>
public sealed class FragmentTests
{
    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_direct_routing_all_fragments_of_a_datagram_meet(bool isIpv6)
    {
        using Farm farm = Udp(Method.Dr, isIpv6);

        int[] first = Chosen(farm, 5000, 1);
        int[] second = Chosen(farm, 5001, 2);

        Assert.Equal([1, 1, 1], first);
        Assert.Equal([2, 2, 2], second);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_nat_they_come_together_to_a_right_datagram(bool isIpv6)
    {
        using Farm farm = Udp(Method.Nat, isIpv6);
        string client = isIpv6 ? Farm.Client6 : Farm.Client;

        List<byte[]> sent = [.. farm.FromClient().Udp(5000, Farm.Port).PayloadOf(2000).Fragments(800).Select(frame => farm.Datapath.Send(frame).Frame)];

        IReadOnlyList<byte[]> expected = farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, "02:00:00:00:01:01"), client, farm.Real(1), ttl: 63)
            .Udp(5000, Farm.RealPort).PayloadOf(2000).Fragments(800);
        Assert.Equal(expected, sent);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void And_so_do_those_of_an_answer(bool isIpv6)
    {
        using Farm farm = Udp(Method.Nat, isIpv6);
        string client = isIpv6 ? Farm.Client6 : Farm.Client;
        farm.Udp(5000);

        List<byte[]> sent = [.. farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), farm.Real(1), client)
            .Udp(Farm.RealPort, 5000).PayloadOf(2000).Fragments(800).Select(frame => farm.Datapath.Send(frame).Frame)];

        IReadOnlyList<byte[]> expected = farm.Ip(PacketBuilder.Ethernet(PacketBuilder.DirectorMac, PacketBuilder.ClientMac), isIpv6 ? Farm.Address6 : Farm.Address, client, ttl: 63)
            .Udp(Farm.Port, 5000).PayloadOf(2000).Fragments(800);
        Assert.Equal(expected, sent);
    }

    [KernelFact]
    public void A_fragment_that_overtakes_its_first_is_dropped_and_counted()
    {
        using Farm farm = Udp(Method.Dr, false);
        IReadOnlyList<byte[]> fragments = farm.FromClient().Udp(5000, Farm.Port).PayloadOf(2000).Fragments(800);

        Sent sent = farm.Datapath.Send(fragments[1]);

        Assert.Equal(Verdict.Drop, sent.Verdict);
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.FragmentUnknown));
    }

    [KernelFact]
    public void A_fragment_for_another_address_passes_unchanged()
    {
        using Farm farm = Udp(Method.Dr, false);
        IReadOnlyList<byte[]> fragments = PacketBuilder.Ethernet().Ipv4(Farm.Client, "192.0.2.99").Udp(5000, Farm.Port).PayloadOf(2000).Fragments(800);

        foreach (byte[] fragment in fragments.Reverse())
            Assert.Equal((Verdict.Pass, fragment), (farm.Datapath.Send(fragment) is { } sent ? sent.Verdict : default, fragment));
    }

    [KernelFact]
    public void The_fragments_of_a_one_packet_datagram_meet_by_hash()
    {
        using Farm farm = new(Farm.With(Scheduler.Rr, VirtualServerFlag.OnePacket), Method.Dr, protocol: ProtocolType.Udp);
        farm.Datapath.SetTable(Farm.Id, new Slot { Current = 2, Previous = 2 });
        farm.Apply(farm.Settings with { Slots = 1 });

        Assert.Equal([2, 2, 2], Chosen(farm, 5000, 1));
        Assert.Equal([2, 2, 2], Chosen(farm, 5000, 2));
    }

    private static int[] Chosen(Farm farm, ushort port, uint id) =>
        [.. farm.FromClient().Udp(port, Farm.Port).PayloadOf(2000).Fragments(800, id).Select(frame => Farm.Chosen(farm.Datapath.Send(frame)))];

    private static Farm Udp(Method method, bool isIpv6) => new(Farm.With(Scheduler.Rr), method, protocol: ProtocolType.Udp, isIpv6: isIpv6);
}
