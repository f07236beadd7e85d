using Bascule.Core.Model;

namespace Bascule.Vrrp.Tests;

/// <summary>
/// Two to five routers of one virtual router on a network that loses and delays, and whose threads may be paused. Time is
/// simulated; chance comes from the seed alone.
/// </summary>
internal sealed class Simulation
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(2);

    private readonly Random _random;
    private readonly Node[] _nodes;
    private readonly PriorityQueue<Event, (TimeSpan At, long Order)> _events = new();
    private TimeSpan _now = TimeSpan.FromHours(1);
    private long _order;
    private int _lossPercent;

    public Simulation(int seed)
    {
        _random = new(seed);
        bool preempts = _random.Next(2) == 0;
        _nodes = [.. Enumerable.Range(0, _random.Next(2, 6)).Select(address => new Node(address,
            new(new() { Id = 51, Interval = Interval, Preempts = preempts }, (byte)_random.Next(1, 255))))];
        foreach (Node node in _nodes)
            Act(node, node.Router.Start(_now));
    }

    /// <summary>Those that hold the addresses and can answer: awake, and within their lease.</summary>
    public int Active => _nodes.Count(n => n.HasAddresses && n.IsAwake);

    public string Story => string.Join(", ", _nodes.Select(n => $"{n.Address}: {n.Router.Role} priority {n.Router.Priority} {n.Router.Reason}"));

    /// <summary>The longest that all of them need to agree once nothing goes wrong any more.</summary>
    public static TimeSpan Settles => (2 * 4 * Interval) + (4 * LongestDelay) + (4 * Lateness);

    /// <summary>Loss, pauses, stops and handovers for this long.</summary>
    public void Trouble(TimeSpan duration)
    {
        TimeSpan end = _now + duration;
        while (_now < end)
        {
            _lossPercent = _random.Next(4) * 20;
            Node node = _nodes[_random.Next(_nodes.Length)];
            switch (_random.Next(5))
            {
                case 0:
                    node.IsAwake = !node.IsAwake;
                    break;
                case var _ when !node.IsAwake:
                    break;
                case 1:
                    Act(node, node.Router.HandOver(_now));
                    break;
                case 2:
                    Act(node, node.Router.Stop(_now));
                    break;
                default:
                    Act(node, node.Router.Start(_now));
                    break;
            }

            Run(_random.Next(1, 500) * TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Everybody is awake and started, and the network is whole.</summary>
    public void Heal()
    {
        _lossPercent = 0;
        foreach (Node node in _nodes)
        {
            node.IsAwake = true;
            Act(node, node.Router.Tick(_now));
            Act(node, node.Router.Start(_now));
        }
    }

    public void Run(TimeSpan duration)
    {
        TimeSpan end = _now + duration;
        while (_events.TryPeek(out _, out (TimeSpan At, long) next) && next.At <= end)
        {
            _now = next.At;
            Event due = _events.Dequeue();
            if (!due.Node.IsAwake)
                continue;
            Act(due.Node, due.Heard is { } heard
                ? due.Node.Router.Hear(heard, due.From - due.Node.Address, _now)
                : due.Node.Router.Tick(_now));
        }

        _now = end;
    }

    private void Act(Node node, VrrpActions actions)
    {
        if (actions.HasFlag(VrrpActions.DropAddresses))
            node.HasAddresses = false;
        if (actions.HasFlag(VrrpActions.SayGoodbye))
            Send(node, Advertisement.Goodbye);
        if (actions.HasFlag(VrrpActions.TakeAddresses))
            node.HasAddresses = true;
        if (actions.HasFlag(VrrpActions.Advertise))
            Send(node, node.Router.Priority);
        if (node.Router.Due != TimeSpan.MaxValue)
            At(node.Router.Due + Share(Lateness), new(node));
    }

    private void Send(Node from, byte priority)
    {
        foreach (Node to in _nodes)
        {
            if (to != from && _random.Next(100) >= _lossPercent)
                At(_now + Share(LongestDelay), new(to, new(VrrpVersion.V3, 51, priority, Interval), from.Address));
        }
    }

    private void At(TimeSpan time, Event @event) => _events.Enqueue(@event, (time, _order++));

    private TimeSpan Share(TimeSpan most) => _random.NextDouble() * most;

    private readonly record struct Event(Node Node, Advertisement? Heard = null, int From = 0);

    private sealed class Node(int address, Router router)
    {
        public int Address { get; } = address;

        public Router Router { get; } = router;

        public bool IsAwake { get; set; } = true;

        public bool HasAddresses { get; set; }
    }
}
