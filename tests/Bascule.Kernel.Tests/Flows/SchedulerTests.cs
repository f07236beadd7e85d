using System.Net;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Flows;

/// <summary>Which real servers the counting schedulers choose, connection after connection; none of them ends.</summary>
public sealed class SchedulerTests
{
    [KernelTheory]
    [InlineData(Scheduler.Rr, "1 1 1", "1 2 3 1 2 3 1")]
    [InlineData(Scheduler.Rr, "1 0 1", "1 3 1 3")]
    [InlineData(Scheduler.Wrr, "4 3 2", "1 1 2 1 2 3 1 2 3 1 1 2")]
    [InlineData(Scheduler.Wrr, "1 0 2", "3 1 3 3 1 3")]
    [InlineData(Scheduler.Lc, "1 5 1", "1 2 3 1 2 3")]
    [InlineData(Scheduler.Wlc, "1 2 1", "1 2 3 2 3 1 2 2")]
    [InlineData(Scheduler.Sed, "1 3 1", "2 2 3 1 2 2")]
    [InlineData(Scheduler.Nq, "1 3 1", "1 2 3 2 2 2")]
    [InlineData(Scheduler.Fo, "1 3 2", "2 2 2 2 2")]
    [InlineData(Scheduler.Ovf, "1 2 0", "2 2 2 1 1 0 0")]
    [InlineData(Scheduler.Lblc, "1 2 1", "1 1 2 2 2 3 3")]
    public void Connections_go_in_this_order(Scheduler scheduler, string weights, string expected)
    {
        using Farm farm = Of(scheduler, weights);

        IEnumerable<int> chosen = Enumerable.Range(0, expected.Split(' ').Length).Select(i => farm.ConnectOrNot((ushort)(5000 + i)));

        Assert.Equal(expected, string.Join(' ', chosen));
    }

    [KernelTheory]
    [InlineData(Scheduler.Random)]
    [InlineData(Scheduler.Twos)]
    public void Chance_follows_the_weights(Scheduler scheduler)
    {
        using Farm farm = Of(scheduler, "1 3 0");
        const int Connections = 800;

        var chosen = Enumerable.Range(0, Connections).Select(i => farm.ConnectOrNot((ushort)(5000 + i))).CountBy(id => id).ToDictionary();

        Assert.Equal(Connections, chosen[1] + chosen[2]);
        Assert.InRange(chosen[2], 500, 700); // 600 in the mean; random: standard deviation 12
    }

    [KernelFact]
    public void One_that_is_down_or_quiesced_or_gone_is_passed_over()
    {
        using Farm farm = Of(Scheduler.Rr, "1 1 1 1");
        farm.Change(1, server => server with { Flags = server.Flags & ~RealServerFlag.Up });
        farm.Change(2, server => server with { Weight = 0 });
        farm.Change(3, server => server with { Flags = server.Flags | RealServerFlag.Gone });

        IEnumerable<int> chosen = Enumerable.Range(0, 3).Select(i => farm.ConnectOrNot((ushort)(5000 + i)));

        Assert.Equal([4, 4, 4], chosen);
    }

    [KernelFact]
    public void Nobody_left_means_the_sorry_server_or_a_counted_drop()
    {
        using Farm farm = Of(Scheduler.Wlc, "0 0");
        int refused = farm.ConnectOrNot(5000);
        farm.Change(2, server => server with { Weight = 1, VirtualServer = Farm.Id });
        farm.Change(2, server => server with { Weight = 0 });
        farm.Apply(farm.Settings with { Sorry = 2 });

        int sorry = farm.ConnectOrNot(5001);

        Assert.Equal((0, 2), (refused, sorry));
        Assert.Equal(1u, farm.Datapath.Drops(DropReason.NoRealServer));
    }

    [KernelFact]
    public void From_the_upper_threshold_on_a_real_server_rests_until_three_quarters_of_it()
    {
        using Farm farm = Of(Scheduler.Fo, "2 1");
        farm.Change(1, server => server with { Upper = 8 });

        int[] filling = [.. Enumerable.Range(0, 9).Select(i => farm.ConnectOrNot((ushort)(5000 + i)))];
        Finish(farm, 5000, 2);
        int atSix = farm.ConnectOrNot(6000);
        Finish(farm, 5002, 1);
        int atFive = farm.ConnectOrNot(6001);

        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 2], filling);
        Assert.Equal((2, 1), (atSix, atFive));
    }

    [KernelFact]
    public void Or_until_it_is_below_the_lower_threshold()
    {
        using Farm farm = Of(Scheduler.Fo, "2 1");
        farm.Change(1, server => server with { Upper = 4, Lower = 2 });

        for (ushort port = 5000; port < 5004; port++)
            farm.ConnectOrNot(port);
        Finish(farm, 5000, 2);
        int atTwo = farm.ConnectOrNot(6000);
        Finish(farm, 5002, 1);
        int atOne = farm.ConnectOrNot(6001);

        Assert.Equal((2, 1), (atTwo, atOne));
    }

    [KernelFact]
    public void Connections_that_wait_for_their_ack_count_against_the_threshold()
    {
        using Farm farm = Of(Scheduler.Fo, "2 1");
        farm.Change(1, server => server with { Upper = 2 });

        int[] chosen = [.. Enumerable.Range(0, 3).Select(i => Farm.Chosen(farm.Tcp((ushort)(5000 + i), TcpFlag.Syn)))];

        Assert.Equal([1, 1, 2], chosen);
    }

    [KernelFact]
    public void A_quiesced_real_server_keeps_its_flows()
    {
        using Farm farm = Of(Scheduler.Rr, "1 1");
        farm.Connect(5000);

        farm.Change(1, server => server with { Weight = 0 });

        Assert.Equal(1, Farm.Chosen(farm.Tcp(5000, TcpFlag.Ack)));
        Assert.Equal([2, 2], [farm.ConnectOrNot(5001), farm.ConnectOrNot(5002)]);
    }

    [KernelFact]
    public void Lblcr_lets_another_join_when_all_of_an_address_are_overloaded()
    {
        using Farm farm = Of(Scheduler.Lblcr, "1 4");

        int[] chosen = [.. Enumerable.Range(0, 5).Select(i => farm.ConnectOrNot((ushort)(5000 + i)))];

        // 1 takes two (active 2 > weight 1), then 2 joins: it has fewer than half of its weight.
        Assert.Equal([1, 1, 2, 2, 2], chosen);
        LocalityKey key = new() { Destination = Address.Of(IPAddress.Parse(Farm.Address)), VirtualServer = Farm.Id };
        LocalityServers servers = farm.Find<LocalityKey, Locality>("localities", key)!.Value.RealServers;
        Assert.Equal([1, 2, 0], ((ReadOnlySpan<ushort>)servers)[..3].ToArray());
    }

    private static Farm Of(Scheduler scheduler, string weights)
    {
        uint[] each = [.. weights.Split(' ').Select(uint.Parse)];
        Farm farm = new(Farm.With(scheduler), Method.Dr, each.Length);
        for (ushort id = 1; id <= each.Length; id++)
            farm.Change(id, server => server with { Weight = each[server.MacDestination.ToBytes()[5] - 1] });
        return farm;
    }

    // Closed, and long enough ago.
    private static void Finish(Farm farm, ushort first, int count)
    {
        for (ushort port = first; port < first + count; port++)
        {
            farm.Tcp(port, TcpFlag.Rst);
            farm.Age(port, 11);
        }

        farm.Sweep();
    }
}
