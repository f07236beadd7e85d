using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class HashSchedulerTests
{
    [Theory]
    // (address × 0x61C88647 mod 2^32) >> 24, worked out apart from this code
    [InlineData("0.0.0.1", 0x61)]
    [InlineData("10.0.0.1", 0x27)]
    [InlineData("192.0.2.1", 0x32)]
    [InlineData("255.255.255.255", 0x9E)]
    [InlineData("::1", 0x61)]
    [InlineData("2001:db8::1", 0x3F)]
    public void Hashes_an_address_to_the_bucket_of_the_kernel(string client, int bucket)
    {
        // 256 real servers of weight 1: each has the bucket of its own number.
        Scheduler sh = new Farm([.. Enumerable.Repeat(1, 256)]).Scheduler(SchedulerKind.SourceHash);

        Assert.Equal(bucket, sh.Pick(Farm.Client(client), default, new Random(1)));
    }

    [Fact]
    public void The_same_client_meets_the_same_real_server_from_any_port()
    {
        Scheduler sh = new Farm(1, 2, 3).Scheduler(SchedulerKind.SourceHash);
        ClientAddress client = Farm.Client("192.0.2.7");

        Assert.Single(Enumerable.Range(0, 1000).Select(port => sh.Pick(client with { Port = (ushort)port }, default, new Random(port))).Distinct());
    }

    [Fact]
    public void Clients_are_spread_in_proportion_to_weight()
    {
        int[] counts = Counts(new Farm(1, 3).Scheduler(SchedulerKind.SourceHash));

        Assert.InRange(counts[1] / (double)counts[0], 2.9, 3.1);
    }

    [Fact]
    public void Losing_a_real_server_moves_only_its_own_clients_and_spreads_them()
    {
        Farm farm = new(1, 1, 1, 1, 1);
        Scheduler sh = farm.Scheduler(SchedulerKind.SourceHash);
        Dictionary<uint, int> before = Clients.ToDictionary(c => c, c => Pick(sh, c));

        farm.RealServers[2].ConfiguredWeight = 0;

        Assert.All(before.Where(b => b.Value != 2), b => Assert.Equal(b.Value, Pick(sh, b.Key)));
        IEnumerable<int> heirs = before.Where(b => b.Value == 2).Select(b => Pick(sh, b.Key)).Distinct();
        Assert.InRange(heirs.Count(), 2, 4);
        Assert.DoesNotContain(2, heirs);
    }

    [Fact]
    public void A_client_comes_home_when_its_real_server_does()
    {
        Farm farm = new(1, 1, 1);
        Scheduler sh = farm.Scheduler(SchedulerKind.SourceHash);
        int home = Pick(sh, 99);
        farm.SetHealth(home, isUp: false);
        Assert.NotEqual(home, Pick(sh, 99));

        farm.SetHealth(home, isUp: true);

        Assert.Equal(home, Pick(sh, 99));
    }

    [Fact]
    public void A_weight_of_0_at_construction_gets_no_bucket_and_is_the_last_resort_later()
    {
        Farm farm = new(1, 0);
        Scheduler sh = farm.Scheduler(SchedulerKind.SourceHash);
        farm.RealServers[1].ConfiguredWeight = 5;
        Assert.All(Clients, c => Assert.Equal(0, Pick(sh, c)));

        farm.SetHealth(0, isUp: false);

        Assert.All(Clients, c => Assert.Equal(1, Pick(sh, c)));
    }

    [Theory]
    [InlineData(SchedulerKind.SourceHash)]
    [InlineData(SchedulerKind.MaglevHash)]
    public void With_the_port_flag_a_client_meets_others_from_other_ports(SchedulerKind kind)
    {
        Scheduler scheduler = new Farm(1, 1, 1).Scheduler(kind, new() { Port = true });

        Assert.Equal([0, 1, 2], Enumerable.Range(0, 100)
            .Select(port => scheduler.Pick(Farm.Client("192.0.2.7") with { Port = (ushort)(40000 + port) }, default, new Random(1))).Distinct().Order());
    }

    [Theory]
    [InlineData(SchedulerKind.SourceHash)]
    [InlineData(SchedulerKind.MaglevHash)]
    [InlineData(SchedulerKind.DestinationHash)]
    public void Without_the_fallback_flag_clients_of_one_that_is_down_are_refused_but_a_failed_connection_is_tried_elsewhere(SchedulerKind kind)
    {
        Farm farm = new(1, 1, 1);
        Scheduler scheduler = farm.Scheduler(kind, SchedulerFlags.None);
        ClientAddress client = Farm.Client("192.0.2.7").To(Farm.Client("198.51.100.1"));
        int home = scheduler.Pick(client, default, new Random(1));
        Assert.InRange(scheduler.Pick(client, Farm.Tried(home), new Random(1)), 0, 2);

        farm.SetHealth(home, isUp: false);

        Assert.Equal(Scheduler.None, scheduler.Pick(client, default, new Random(1)));
    }

    [Fact]
    public void Dh_looks_at_the_address_asked_for_and_at_nothing_else()
    {
        Scheduler dh = new Farm([.. Enumerable.Repeat(1, 256)]).Scheduler(SchedulerKind.DestinationHash);

        Assert.All(Clients.Take(100), client =>
            Assert.Equal(0x32, dh.Pick(new ClientAddress(0, client, (ushort)client, IsIpv4: true).To(Farm.Client("192.0.2.1")), default, new Random(1))));
    }

    [Fact]
    public void Dh_gives_every_real_server_the_same_share_whatever_its_weight()
    {
        Scheduler dh = new Farm(1, 9).Scheduler(SchedulerKind.DestinationHash);

        int toFirst = Clients.Count(c => dh.Pick(default(ClientAddress).To(new(0, c, 0, IsIpv4: true)), default, new Random(1)) == 0);

        Assert.InRange(toFirst, 950, 1050);
    }

    private static IEnumerable<uint> Clients => Enumerable.Range(0, 2000).Select(i => 0x0A000000u + (uint)i);

    private static int Pick(Scheduler sh, uint client) => sh.Pick(new(0, client, 40000, IsIpv4: true), default, new Random(1));

    private static int[] Counts(Scheduler sh)
    {
        int[] counts = new int[2];
        foreach (uint client in Clients)
            counts[Pick(sh, client)]++;
        return counts;
    }
}
