using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>What holds for every scheduler.</summary>
public sealed class SchedulerTests
{
    public static TheoryData<SchedulerKind> Kinds => [.. Enum.GetValues<SchedulerKind>()];

    /// <summary>Those whose choice depends on what was chosen before, or on load; every one of them gives equals an equal share.</summary>
    public static TheoryData<SchedulerKind> Rings =>
    [
        SchedulerKind.RoundRobin, SchedulerKind.WeightedRoundRobin, SchedulerKind.LeastConnection,
        SchedulerKind.WeightedLeastConnection, SchedulerKind.ShortestExpectedDelay, SchedulerKind.LeastTime,
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Chooses_what_the_plain_implementation_chooses_whatever_happens_in_between(SchedulerKind kind) =>
        AssertSameAsPlain(farm => farm.Scheduler(kind), farm => new(kind, farm));

    [Theory]
    [InlineData(101)]
    [InlineData(125)]
    [InlineData(300)]
    public void Hash_with_a_balance_factor_chooses_what_the_plain_implementation_chooses(int balanceFactor) => AssertSameAsPlain(
        farm => farm.Scheduler(SchedulerKind.RequestHash, new() { TableSize = 251, Hash = new(RequestPart.Uri, null, balanceFactor) }),
        farm => new(SchedulerKind.RequestHash, farm, balanceFactor));

    private static void AssertSameAsPlain(Func<Farm, Scheduler> build, Func<Farm, PlainScheduler> buildPlain)
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random chance = new(seed);
            Farm farm = new([.. Enumerable.Range(0, chance.Next(1, 9)).Select(_ => chance.Next(0, 7))]);
            Scheduler scheduler = build(farm);
            PlainScheduler plain = buildPlain(farm);
            (Random ours, Random theirs) = (new(seed), new(seed));
            for (int step = 0; step < 60; step++)
            {
                Disturb(farm, chance);
                ClientAddress client = AnyClient(chance);
                TriedServers tried = AnyTried(farm, chance);

                int expected = plain.Pick(client, tried, theirs);
                int actual = scheduler.Pick(client, tried, ours);

                Assert.True(expected == actual, $"seed {seed}, step {step}: {actual} instead of {expected}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Chooses_nobody_when_nobody_is_usable(SchedulerKind kind)
    {
        Farm farm = new(0, 2, 1);
        farm.SetHealth(1, isUp: false);

        int choice = farm.Scheduler(kind).Pick(Farm.Client("192.0.2.1"), Farm.Tried(2), new Random(1));

        Assert.Equal(Scheduler.None, choice);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Chooses_nobody_from_an_empty_list(SchedulerKind kind) =>
        Assert.Equal(Scheduler.None, new Farm().Scheduler(kind).Pick(Farm.Client("192.0.2.1"), default, new Random(1)));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Retries_reach_every_usable_real_server_once(SchedulerKind kind)
    {
        Farm farm = new(300, 1, 2, 65535);
        Scheduler scheduler = farm.Scheduler(kind);
        Random random = new(1);
        TriedServers tried = default;
        List<int> choices = [];
        while (tried.Count < TriedServers.Capacity)
        {
            int choice = scheduler.Pick(Farm.Client("192.0.2.1"), tried, random);
            choices.Add(choice);
            tried.Add(choice);
        }

        Assert.Equal([0, 1, 2, 3], choices.Order());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Allocates_nothing(SchedulerKind kind)
    {
        Farm farm = new(5, 3, 0, 4, 65535);
        farm.SetHealth(3, isUp: false);
        Scheduler scheduler = farm.Scheduler(kind);
        Random random = new(1);
        TriedServers tried = Farm.Tried(1);
        ClientAddress client = Farm.Client("2001:db8::1");
        PickOften();

        long before = GC.GetAllocatedBytesForCurrentThread();
        PickOften();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void PickOften()
        {
            for (int i = 0; i < 1000; i++)
            {
                farm.RealServers[0].ConfiguredWeight = i % 7;
                _ = scheduler.Pick(client, i % 2 == 0 ? tried : default, random);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rings))]
    public void Many_threads_together_give_exactly_equal_shares_to_equal_real_servers(SchedulerKind kind)
    {
        Scheduler scheduler = new Farm(1, 1, 1, 1).Scheduler(kind);

        int[] counts = PickFromManyThreads(scheduler, realServers: 4, threads: 4, picksEach: 100_000);

        Assert.All(counts, count => Assert.Equal(100_000, count));
    }

    [Fact]
    public void Many_threads_together_keep_the_exact_shares_of_wrr()
    {
        Scheduler scheduler = new Farm(4, 3, 2).Scheduler(SchedulerKind.WeightedRoundRobin);

        int[] counts = PickFromManyThreads(scheduler, realServers: 3, threads: 4, picksEach: 90_000);

        Assert.Equal([160_000, 120_000, 80_000], counts);
    }

    private static int[] PickFromManyThreads(Scheduler scheduler, int realServers, int threads, int picksEach)
    {
        int[] counts = new int[realServers];
        using Barrier start = new(threads);
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(seed => new Thread(() =>
        {
            Random random = new(seed);
            ClientAddress client = Farm.Client("192.0.2.1");
            start.SignalAndWait();
            for (int i = 0; i < picksEach; i++)
                Interlocked.Increment(ref counts[scheduler.Pick(client, default, random)]);
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();
        return counts;
    }

    private static void Disturb(Farm farm, Random chance)
    {
        int index = chance.Next(farm.Count);
        switch (chance.Next(10))
        {
            case 8:
                farm.RealServers[index].AnswerTime.Note(TimeSpan.FromMilliseconds(chance.Next(1, 50)), farm.Clock.GetElapsedTime(0));
                break;
            case 9:
                farm.Clock.Advance(TimeSpan.FromSeconds(chance.Next(20)));
                break;
            case 0:
                farm.RealServers[index].ConfiguredWeight = chance.Next(0, 7);
                break;
            case 1:
                farm.SetHealth(index, isUp: false);
                break;
            case 2:
                farm.SetHealth(index, isUp: true);
                break;
            case 3:
                farm.RealServers[index].Opened(); // an idle connection in a pool
                break;
            default:
                farm.SetActive(index, chance.Next(0, 5));
                break;
        }
    }

    private static ClientAddress AnyClient(Random chance) => AnyAddress(chance).To(AnyOfFew(chance)) with
    {
        Content = chance.Next(3) == 0 ? 0 : (ulong)chance.NextInt64(),
    };

    private static ClientAddress AnyOfFew(Random chance) => new(0, (uint)chance.Next(6), 0, IsIpv4: true);

    private static ClientAddress AnyAddress(Random chance) => chance.Next(2) == 0
        ? new(0, (uint)chance.NextInt64(1L << 32), (ushort)chance.Next(65536), IsIpv4: true)
        : new((ulong)chance.NextInt64(long.MinValue, long.MaxValue), (ulong)chance.NextInt64(long.MinValue, long.MaxValue), 1, IsIpv4: false);

    private static TriedServers AnyTried(Farm farm, Random chance)
    {
        int[] order = [.. Enumerable.Range(0, farm.Count)];
        chance.Shuffle(order);
        int count = chance.Next(3) == 0 ? chance.Next(int.Min(farm.Count, TriedServers.Capacity) + 1) : 0;
        return Farm.Tried(order[..count]);
    }
}
