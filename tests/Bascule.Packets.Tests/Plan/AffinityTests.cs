using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Tests.Plan;

/// <summary>
/// Connection affinity, against a model of what the datapath does with one packet (bpf/table.h): random servers come, go, quiesce, fail and return
/// while flows run, and every packet of an established flow must reach the real server that has it, as long as that one lives.
/// </summary>
public class AffinityTests
{
    private const int Slots = 13;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(15);

    [Fact]
    public void No_flow_to_a_surviving_real_server_ever_moves()
    {
        long packets = 0;
        for (int seed = 0; seed < 200; seed++)
            packets += new World(seed).Run(steps: 1500);

        Assert.True(packets > 100_000, $"only {packets} packets of established flows were checked");
    }

    [Fact]
    public void Everything_is_stable_again_when_changes_stop_and_recorded_flows_end()
    {
        World world = new(seed: 7);
        world.Run(steps: 500);

        world.EndAllFlows();
        world.Wait(Window + TransitionTable.HalfOpen);
        world.Tick();

        Assert.Equal(0, world.SlotsThatCouldSettle);
    }

    private sealed class Flow
    {
        public required int Slot { get; init; }
        public ushort Server { get; set; } // that has it; Nobody before its SYN found one
        public bool Established { get; set; }
        public TimeSpan Last { get; set; }
    }

    private sealed class World
    {
        private readonly Random _random;
        private readonly HashSet<ushort> _up = [];        // passes its check
        private readonly HashSet<ushort> _quiesced = [];  // weight 0
        private readonly List<Flow> _flows = [];
        private readonly Dictionary<Flow, ushort> _recorded = [];
        private readonly Dictionary<Flow, ushort> _halfOpen = [];
        private readonly TransitionTable _table;
        private TimeSpan _now = TimeSpan.FromHours(1);

        public World(int seed)
        {
            _random = new(seed);
            for (ushort id = 1; id <= 4; id++)
                _up.Add(id);
            _table = TransitionTable.Fresh(Wanted());
        }

        public int SlotsThatCouldSettle => _table.Slots.Count(slot => !SlotTransition.IsStable(slot) && slot.Current != SlotTransition.Nobody);

        public long Run(int steps)
        {
            long checkedPackets = 0;
            for (int i = 0; i < steps; i++)
            {
                Wait(TimeSpan.FromSeconds(_random.Next(0, 20)));
                switch (_random.Next(100))
                {
                    case < 6: ChangeServers(); break;
                    case < 12: Tick(); break;
                    case < 30: Begin(); break;
                    case < 34: End(); break;
                    default: checkedPackets += Send(); break;
                }
            }

            return checkedPackets;
        }

        public void Wait(TimeSpan time)
        {
            _now += time;
            // A flow that is silent for longer than its timeout is none any more; an unanswered SYN is forgotten sooner.
            foreach (Flow flow in _flows.Where(f => _now - f.Last >= (f.Established ? Window : TransitionTable.HalfOpen)).ToList())
                Forget(flow);
        }

        public void Tick() => _table.Tick(hasRecordedFlows: _recorded.Count > 0, _now);

        public void EndAllFlows() => _flows.ToList().ForEach(Forget);

        private void ChangeServers()
        {
            ushort id = (ushort)_random.Next(1, 7);
            switch (_random.Next(4))
            {
                case 0: GoDown(id); break;
                case 1: _up.Add(id); break;
                case 2: _quiesced.Add(id); break;
                default: _quiesced.Remove(id); break;
            }

            _table.Change([.. Wanted()], _up.Contains, Window, _now);
        }

        private void GoDown(ushort id)
        {
            _up.Remove(id);
            foreach (Flow flow in _flows.Where(f => f.Server == id).ToList())
                Forget(flow);
        }

        // A poor man's consistent hash: deterministic, and a change moves some slots and not others.
        private IEnumerable<ushort> Wanted()
        {
            ushort[] usable = [.. _up.Except(_quiesced).Order()];
            return Enumerable.Range(0, Slots).Select(slot => usable.DefaultIfEmpty(SlotTransition.Nobody).MaxBy(id => (id * 7919 * (slot + 31)) % 1009));
        }

        private void Begin()
        {
            Flow flow = new() { Slot = _random.Next(Slots), Last = _now };
            _flows.Add(flow);
            flow.Server = Syn(flow);
            if (flow.Server == SlotTransition.Nobody)
                Forget(flow);
        }

        private void End()
        {
            if (_flows.Count > 0)
                Forget(_flows[_random.Next(_flows.Count)]);
        }

        private void Forget(Flow flow)
        {
            _flows.Remove(flow);
            _recorded.Remove(flow);
            _halfOpen.Remove(flow);
        }

        private int Send()
        {
            if (_flows.Count == 0)
                return 0;
            Flow flow = _flows[_random.Next(_flows.Count)];
            ushort reached = NotSyn(flow);
            Assert.True(reached == flow.Server, $"a flow of {flow.Server} reached {reached}: slot {_table.Slots[flow.Slot].Current}/{_table.Slots[flow.Slot].Previous} at {_now}");
            flow.Established = true;
            flow.Last = _now;
            return 1;
        }

        private ushort Syn(Flow flow)
        {
            Slot slot = _table.Slots[flow.Slot];
            if (SlotTransition.IsInTransition(slot) && slot.Current != SlotTransition.Nobody)
                _halfOpen[flow] = slot.Current;
            return slot.Current;
        }

        private ushort NotSyn(Flow flow)
        {
            Slot slot = _table.Slots[flow.Slot];
            if (SlotTransition.IsStable(slot))
                return slot.Current;
            if (_recorded.TryGetValue(flow, out ushort known))
                return known;
            if (_halfOpen.Remove(flow, out ushort half))
                return _recorded[flow] = half;
            return SlotTransition.IsInTransition(slot) ? _recorded[flow] = slot.Previous : slot.Current;
        }
    }
}
