using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>Source persistence.</summary>
public sealed class SessionTests
{
    private const string Neighbour = "198.51.100.99"; // in the client's /24
    private const string Neighbour6 = "2001:db8:9::99"; // in the client's /64

    [KernelFact]
    public void A_client_meets_the_same_real_server_again_and_others_do_not()
    {
        using Farm farm = Persistent();

        int[] chosen = [farm.Connect(5000), farm.Connect(5001), farm.Connect(5000, Neighbour), farm.Connect(5001, Neighbour), farm.Connect(5002)];

        Assert.Equal([1, 1, 2, 2, 1], chosen);
    }

    [KernelFact]
    public void Under_a_mask_neighbours_are_one_client()
    {
        using Farm farm = Persistent(mask: 24);

        int[] chosen = [farm.Connect(5000), farm.Connect(5000, Neighbour), farm.Connect(5000, "198.51.101.7")];

        Assert.Equal([1, 1, 2], chosen);
    }

    [KernelTheory]
    [InlineData(64, new[] { 1, 1, 2 })]
    [InlineData(33, new[] { 1, 1, 1 })]
    [InlineData(128, new[] { 1, 2, 1 })]
    public void And_under_a_prefix(byte prefix, int[] expected)
    {
        using Farm farm = Persistent(prefix: prefix, isIpv6: true);

        int[] chosen = [farm.Connect(5000), farm.Connect(5000, Neighbour6), farm.Connect(5000, "2001:db8:a::7")];

        Assert.Equal(expected, chosen);
    }

    [KernelFact]
    public void Connections_that_begin_at_once_meet_the_same_real_server()
    {
        using Farm farm = Persistent();

        int[] chosen = [.. Enumerable.Range(5000, 3).Select(port => Farm.Chosen(farm.Tcp((ushort)port, TcpFlag.Syn)))];

        Assert.Equal([1, 1, 1], chosen);
        Assert.Empty(farm.Datapath.Map<Client, Session>("sessions").Entries());
    }

    [KernelFact]
    public void A_session_ends_so_long_after_its_last_flow_began()
    {
        using Farm farm = Persistent();
        int first = Farm.Chosen(farm.Tcp(5000, TcpFlag.Syn));
        farm.Tcp(5000, TcpFlag.Ack);

        Age(farm, 295);
        int stillThere = farm.Connect(5001);
        Age(farm, 305);
        int anew = farm.Connect(5002);

        Assert.Equal((1, 1, 2), (first, stillThere, anew));
    }

    [KernelFact]
    public void A_session_does_not_end_before_its_flows_do()
    {
        using Farm farm = Persistent();
        farm.Connect(5000);

        Age(farm, 305);
        farm.Sweep();
        int chosen = farm.Connect(5001);

        Assert.Equal(1, chosen);
    }

    [KernelFact]
    public void The_sweep_takes_out_sessions_that_are_over()
    {
        using Farm farm = Persistent();
        farm.Connect(5000);
        farm.Age(5000, 1000);

        uint before = farm.Sweep().Sessions;
        Age(farm, 305);
        uint after = farm.Sweep().Sessions;

        Assert.Equal((1u, 0u), (before, after));
    }

    [KernelTheory]
    [InlineData(VirtualServerFlag.None, 1)]
    [InlineData(VirtualServerFlag.ExpireQuiescent, 2)]
    public void A_quiesced_real_server_keeps_its_sessions_unless_they_are_to_expire(VirtualServerFlag flag, int expected)
    {
        using Farm farm = Persistent(flag);
        farm.Connect(5000);

        farm.Change(1, server => server with { Weight = 0 });

        Assert.Equal(expected, farm.Connect(5001));
    }

    [KernelFact]
    public void The_session_of_a_dead_real_server_moves()
    {
        using Farm farm = Persistent();
        farm.Connect(5000);

        farm.Change(1, server => server with { Flags = server.Flags & ~RealServerFlag.Up });
        int moved = farm.Connect(5001);
        farm.Change(1, server => server with { Flags = server.Flags | RealServerFlag.Up });
        int stays = farm.Connect(5002);

        Assert.Equal((2, 2), (moved, stays));
    }

    [KernelFact]
    public void A_real_server_in_maintenance_keeps_its_flows_and_loses_its_sessions()
    {
        using Farm farm = Persistent();
        farm.Connect(5000);

        farm.Change(1, server => server with { Weight = 0, Flags = server.Flags | RealServerFlag.Maintenance });

        Assert.Equal(1, Farm.Chosen(farm.Tcp(5000, TcpFlag.Ack)));
        Assert.Equal([2, 2], [farm.Connect(5001), farm.Connect(5002)]);
        Assert.Equal(1, Farm.Chosen(farm.Tcp(5000, TcpFlag.Ack)));
    }

    private static Farm Persistent(VirtualServerFlag flags = VirtualServerFlag.None, byte mask = 32, byte prefix = 128, bool isIpv6 = false) =>
        new(Farm.With(Scheduler.Rr, flags | VirtualServerFlag.Persistent) with { Persistence = 300, Mask4 = mask, Mask6 = prefix }, Method.Dr, isIpv6: isIpv6);

    private static void Age(Farm farm, double seconds)
    {
        Client key = new() { Source = Address.Of(IPAddress.Parse(Farm.Client)), VirtualServer = Farm.Id, Family = 4 };
        Session session = farm.Find<Client, Session>("sessions", key)!.Value;
        farm.Datapath.Map<Client, Session>("sessions").Set(key, session with { Seen = Farm.Older(session.Seen, seconds) });
    }
}
