using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Forwarding;

/// <summary>bpf/table.h while a slot changes hands: from real server A to B, later to C.</summary>
public sealed class TransitionTests
{
    private const ushort Nobody = 0, A = 11, B = 12, C = 13;

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_new_connection_goes_to_the_new_server_and_stays_there(bool isIpv6)
    {
        using Datapath datapath = In(B, A);

        Assert.Equal(B, ServerOf(datapath, Web.Request(isIpv6, TcpFlag.Syn)));
        Assert.Equal(B, ServerOf(datapath, Web.Request(isIpv6, TcpFlag.Syn))); // sent again
        Assert.Equal(B, ServerOf(datapath, Web.Request(isIpv6)));
        Move(datapath, C, A);
        Assert.Equal(B, ServerOf(datapath, Web.Request(isIpv6)));
        Move(datapath, C, Nobody);
        Assert.Equal(B, ServerOf(datapath, Web.Request(isIpv6)));

        Assert.Equal(1u, datapath.TrafficOfVirtualServer(Web.Id).Connections);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_old_connection_stays_with_the_old_server_also_after_the_window(bool isIpv6)
    {
        using Datapath datapath = In(B, A);

        Assert.Equal(A, ServerOf(datapath, Web.Request(isIpv6)));
        Move(datapath, B, Nobody);

        Assert.Equal(A, ServerOf(datapath, Web.Request(isIpv6)));
        Assert.Equal(1, Recorded(datapath, isIpv6).Count(flow => flow.RealServer == A && flow.Flags.HasFlag(FlowFlag.Exception)));
    }

    [KernelFact]
    public void A_datagram_of_a_flow_nobody_knows_is_an_old_one()
    {
        using Datapath datapath = In(B, A);

        Assert.Equal(A, ServerOf(datapath, Web.Query()));
        Move(datapath, B, Nobody);

        Assert.Equal(A, ServerOf(datapath, Web.Query()));
    }

    [KernelFact]
    public void A_syn_scheduled_before_the_change_is_answered_for_by_the_server_that_got_it()
    {
        using Datapath datapath = In(A, A);
        Assert.Equal(A, ServerOf(datapath, Web.Request(flags: TcpFlag.Syn)));

        Move(datapath, B, A);

        Assert.Equal(A, ServerOf(datapath, Web.Request()));
    }

    [KernelFact]
    public void After_the_window_whoever_is_not_recorded_is_the_new_server_s_and_nothing_more_is_recorded()
    {
        using Datapath datapath = In(B, Nobody);

        Assert.Equal(B, ServerOf(datapath, Web.Request(flags: TcpFlag.Syn)));
        Assert.Equal(B, ServerOf(datapath, Web.Request()));

        Assert.Empty(Recorded(datapath, false));
        Assert.Empty(datapath.Map<Tuple4, Flow>("half_open4").Entries());
    }

    [KernelFact]
    public void A_slot_that_returns_to_its_old_server_keeps_what_the_other_got_meanwhile()
    {
        using Datapath datapath = In(B, A);
        Assert.Equal(B, ServerOf(datapath, Web.Request(flags: TcpFlag.Syn)));
        Assert.Equal(B, ServerOf(datapath, Web.Request()));

        Move(datapath, A, Nobody);

        Assert.Equal(B, ServerOf(datapath, Web.Request()));
        Assert.Equal(A, ServerOf(datapath, Web.Query()));
    }

    [KernelFact]
    public void An_icmp_error_follows_the_flow_it_is_about_and_records_nothing()
    {
        using Datapath datapath = In(B, A);
        PacketBuilder error = PacketBuilder.Ip.Ipv4("203.0.113.1", Web.Virtual4).Icmp(3, 4, 1280).Then(PacketBuilder.Ip.Ipv4(Web.Virtual4, Web.Client4).Tcp(80, Web.ClientPort));

        Assert.Equal(A, ServerOf(datapath, error));
        Assert.Empty(Recorded(datapath, false));

        ServerOf(datapath, Web.Request(flags: TcpFlag.Syn));
        Assert.Equal(B, ServerOf(datapath, error));
    }

    [KernelFact]
    public void A_new_connection_on_the_ports_of_one_that_ended_goes_to_the_new_server()
    {
        using Datapath datapath = In(B, A);
        Assert.Equal(A, ServerOf(datapath, Web.Request()));
        Assert.Equal(A, ServerOf(datapath, Web.Request(flags: TcpFlag.Rst)));

        Assert.Equal(B, ServerOf(datapath, Web.Request(flags: TcpFlag.Syn)));
    }

    [KernelTheory]
    [InlineData(VirtualServerFlag.None, null)]
    [InlineData(VirtualServerFlag.ExpireNoDestination, B)]
    public void A_recorded_flow_whose_server_died_waits_for_it_or_is_scheduled_anew(VirtualServerFlag flags, ushort? server)
    {
        using Datapath datapath = In(B, A, flags);
        Assert.Equal(A, ServerOf(datapath, Web.Request()));

        datapath.Set(A, Numbered(A) with { Flags = RealServerFlag.Valid | RealServerFlag.Neighbour });
        Move(datapath, B, Nobody);

        Assert.Equal(server, ServerOf(datapath, Web.Request()));
        Assert.Equal(server is null ? 1u : 0u, datapath.Drops(DropReason.RealServerGone));
    }

    [KernelFact]
    public void When_all_are_down_the_sorry_server_has_datagrams_and_connections_under_way_too()
    {
        using Datapath datapath = In(Nobody, A);
        datapath.Set(A, Numbered(A) with { Flags = RealServerFlag.Valid | RealServerFlag.Neighbour });
        datapath.Map<uint, VirtualServer>("virtual_servers").Set(Web.Id, new() { Hash = HashKind.KeyedSourcePort, Slots = 1, Sorry = C });

        Assert.Equal(C, ServerOf(datapath, Web.Query()));
        Assert.Equal(C, ServerOf(datapath, Web.Query()));
        Assert.Equal(C, ServerOf(datapath, Web.Request()));
        Assert.Empty(Recorded(datapath, false));
    }

    [KernelFact]
    public void Only_slots_in_transition_look_flows_up()
    {
        using Datapath datapath = In(B, A);
        ServerOf(datapath, Web.Request());
        Assert.Equal(0u, datapath.TrafficOfVirtualServer(Web.Id).LookupsAvoided);

        Move(datapath, B, B);
        ServerOf(datapath, Web.Request());

        Assert.Equal(1u, datapath.TrafficOfVirtualServer(Web.Id).LookupsAvoided);
    }

    private static Datapath In(ushort current, ushort previous, VirtualServerFlag flags = VirtualServerFlag.None)
    {
        Datapath datapath = Web.With(Web.By(Method.Dr), new()
        {
            Hash = HashKind.KeyedSourcePort,
            Flags = flags,
            TcpTimeout = 900,
            TcpFinTimeout = 120,
            UdpTimeout = 300,
        });
        foreach (ushort id in new[] { A, B, C })
            datapath.Set(id, Numbered(id));
        Move(datapath, current, previous);
        return datapath;
    }

    private static void Move(Datapath datapath, ushort current, ushort previous) => datapath.SetTable(Web.Id, new Slot { Current = current, Previous = previous });

    // The id stands in the last byte of the real server's MAC address.
    private static RealServer Numbered(ushort id) => Web.By(Method.Dr) with { MacDestination = Mac.Parse($"02:00:00:00:00:{id}") };

    private static ushort? ServerOf(Datapath datapath, PacketBuilder packet)
    {
        Sent sent = datapath.Arrives(packet);
        return sent.Verdict == Verdict.Transmit ? ushort.Parse($"{sent.Frame[5]:x}", null) : null;
    }

    private static List<Flow> Recorded(Datapath datapath, bool isIpv6) =>
        isIpv6 ? [.. datapath.Map<Tuple6, Flow>("flows6").Entries().Select(entry => entry.Value)] : [.. datapath.Map<Tuple4, Flow>("flows4").Entries().Select(entry => entry.Value)];
}
