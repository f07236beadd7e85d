using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Testing.Packets;
using CoreScheduler = Bascule.Core.Scheduling.Scheduler;

namespace Bascule.Kernel.Tests.Twins;

/// <summary>
/// The datapath and Core choose the same real server, whatever happens in between: connections that come, end and come again on the same ports,
/// weights that change, real servers that fail and return. Each seed is another story.
/// </summary>
public sealed class TwinSchedulerTests
{
    private const int Seeds = 200;
    private const int Steps = 50;

    private static readonly FlowHashKey Key = new(0x0706050403020100, 0x0F0E0D0C0B0A0908);

    // Chance chooses otherwise each time, and the last two are the proxy's alone.
    public static TheoryData<SchedulerKind> Kinds =>
    [
        .. Enum.GetValues<SchedulerKind>().Where(kind => kind is not
            (SchedulerKind.Random or SchedulerKind.PowerOfTwoChoices or SchedulerKind.LeastTime or SchedulerKind.RequestHash)),
    ];

    [KernelTheory]
    [MemberData(nameof(Kinds))]
    public void Both_choose_the_same(SchedulerKind kind) => AssertSame(kind, _ => null, (_, chance) => (uint)chance.Next(1 << 24));

    [KernelTheory]
    [InlineData(SchedulerKind.RoundRobin)]
    [InlineData(SchedulerKind.WeightedLeastConnection)]
    [InlineData(SchedulerKind.SourceHash)]
    public void Both_let_a_client_return_to_the_same(SchedulerKind kind) => AssertSame(
        kind,
        chance => new() { Mask4 = chance.Next(29, 33), ExpireQuiescent = chance.Next(2) == 0 },
        (seed, chance) => ((uint)seed << 16) + (uint)chance.Next(16));

    private static void AssertSame(SchedulerKind kind, Func<Random, SourcePersistence?> anyPersistence, Func<int, Random, uint> anyClient)
    {
        using TwinWorld world = new(Key);
        int choices = 0, refusals = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            Random chance = new(seed);
            SchedulerFlags flags = new() { Fallback = chance.Next(2) == 0, Port = chance.Next(2) == 0, TableSize = 251 };
            int[] weights = [.. Enumerable.Range(0, chance.Next(1, TwinFarm.MostRealServers + 1)).Select(_ => chance.Next(0, 7))];
            int number = seed;
            Story story = new(new(world, kind, flags, Key, anyPersistence(chance), weights), chance, () => 0x0A000000 | anyClient(number, chance));
            for (int step = 0; step < Steps; step++)
            {
                story.Disturb();
                (int inKernel, int inCore) = story.Connect();
                Assert.True(inKernel == inCore, $"seed {seed}, step {step}: the datapath chose {inKernel}, Core {inCore}");
                choices++;
                refusals += inCore == CoreScheduler.None ? 1 : 0;
            }

            story.AssertSameLoads();
        }

        // The stories are about choices, not about farms where nobody is left.
        Assert.InRange(refusals, 1, choices / 2);
    }

    [KernelFact]
    public void Random_draws_in_proportion_to_weight()
    {
        using TwinWorld world = new(Key);
        TwinFarm farm = new(world, SchedulerKind.Random, SchedulerFlags.None, Key, null, 1, 2, 3, 4, 9);
        farm.SetHealth(4, isUp: false);

        AssertDrawn(farm, [0.1, 0.2, 0.3, 0.4, 0]);
    }

    [KernelFact]
    public void Twos_takes_the_busiest_only_when_both_draws_hit_it()
    {
        using TwinWorld world = new(Key);
        TwinFarm farm = new(world, SchedulerKind.PowerOfTwoChoices, SchedulerFlags.None, Key, null, 1, 1, 1, 1);

        // Of 16 equally likely pairs, the least busy of the two is A in 7, B in 5, C in 3, D in 1.
        AssertDrawn(farm, [7 / 16.0, 5 / 16.0, 3 / 16.0, 1 / 16.0], busy: [0, 10, 20, 30]);
    }

    [KernelFact]
    public void Twos_on_an_idle_farm_draws_in_proportion_to_weight_without_favouring_the_first()
    {
        using TwinWorld world = new(Key);
        TwinFarm farm = new(world, SchedulerKind.PowerOfTwoChoices, SchedulerFlags.None, Key, null, 1, 2, 3, 4);

        AssertDrawn(farm, [0.1, 0.2, 0.3, 0.4], busy: [0, 0, 0, 0]);
    }

    private static void AssertDrawn(TwinFarm farm, double[] expected, uint[]? busy = null)
    {
        const int Draws = 20_000;
        int[] counts = new int[expected.Length];
        for (int draw = 0; draw < Draws; draw++)
        {
            for (int index = 0; busy is not null && index < busy.Length; index++)
                farm.SetLoad(index, busy[index]); // the last draw's half-open connection does not count
            counts[farm.Send(0x0A000000 + (uint)draw, 40000, 0xC0000201, TcpFlag.Syn)]++;
        }

        double chiSquared = expected.Select((share, i) => share == 0 ? counts[i] : Math.Pow(counts[i] - (share * Draws), 2) / (share * Draws)).Sum();
        // χ² with 3 degrees of freedom exceeds 22.6 with probability 0.00005: the kernel's chance has no seed.
        Assert.InRange(chiSquared, 0, 22.6);
    }

    /// <summary>What happens to one farm.</summary>
    private sealed class Story(TwinFarm farm, Random chance, Func<uint> anyClient)
    {
        private readonly List<TwinConnection> _open = [];
        private readonly List<TwinConnection> _finished = [];
        private ushort _port = 1024;

        public void Disturb()
        {
            int index = chance.Next(farm.RealServers.Length);
            switch (chance.Next(8))
            {
                case 0:
                    farm.SetWeight(index, chance.Next(0, 7));
                    break;
                case 1:
                    farm.SetHealth(index, isUp: false);
                    break;
                case 2:
                case 3:
                    farm.SetHealth(index, isUp: true);
                    break;
                case 4:
                case 5:
                    FinishAny();
                    break;
                default:
                    break;
            }
        }

        /// <summary>A new client, or one that comes again on the ports of a connection that it has finished.</summary>
        public (int InKernel, int InCore) Connect()
        {
            TwinConnection? again = chance.Next(4) == 0 && _finished.Count > 0 ? _finished[chance.Next(_finished.Count)] : null;
            (uint client, ushort port, uint asked) = again is null
                ? (anyClient(), _port++, 0xC0000200 | (uint)chance.Next(6))
                : (again.Client, again.ClientPort, again.Asked);
            if (again is not null)
            {
                _finished.Remove(again);
                farm.Forget(again);
            }

            int inKernel = farm.Send(client, port, asked, TcpFlag.Syn);
            int inCore = farm.PickInCore(client, port, asked);
            if (inKernel == inCore && inCore != CoreScheduler.None)
            {
                TwinConnection connection = new(client, port, asked, inCore);
                farm.Establish(connection);
                _open.Add(connection);
            }

            return (inKernel, inCore);
        }

        public void AssertSameLoads() => farm.AssertSameLoads();

        // Packets of a connection whose real server is down are dropped: nothing of it can end.
        private void FinishAny()
        {
            if (_open.Find(connection => farm.RealServers[connection.RealServer].IsUp) is not { } connection)
                return;
            _open.Remove(connection);
            if (farm.Finish(connection))
                _finished.Add(connection);
        }
    }
}
