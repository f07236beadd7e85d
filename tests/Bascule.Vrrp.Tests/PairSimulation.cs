using Bascule.Core.Roles;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Tests;

/// <summary>
/// Two directors with heartbeats over one or two links, the first of which carries advertisements too. Each direction of each link loses,
/// delays or is cut; clocks differ and run at their own pace; a director may be paused, and then finds in its sockets what came
/// meanwhile. Time is simulated; chance comes from the seed alone.
/// </summary>
internal sealed class PairSimulation
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan Heartbeat = Interval / 4;
    private const int Backlog = 200; // packets that a socket keeps
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(2);

    private readonly Random _random;
    private readonly PriorityQueue<Event, (TimeSpan At, long Order)> _events = new();
    private readonly byte[] _buffer = new byte[HeartbeatCodec.MaxLength];
    private readonly double[,] _loss;
    private long _order;

    public PairSimulation(int seed, int links, double strongRate = 1, double weakRate = 1)
    {
        _random = new(seed);
        _loss = new double[links, 2];
        Strong = new(0, "a", "b", 200, links, strongRate, _random);
        Weak = new(1, "b", "a", 100, links, weakRate, _random);
        foreach (Director director in Both)
        {
            Do(director, director.Judge.SetWell(Judge.OwnInterface, true, director.At(Now)));
            Do(director, director.Judge.Start(director.At(Now)));
            Turn(director);
        }
    }

    /// <summary>Of priority 200.</summary>
    public Director Strong { get; }

    /// <summary>Of priority 100.</summary>
    public Director Weak { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>The longest that a director needs to notice that the other one is silent or deaf.</summary>
    public static TimeSpan Notices => (PeerView.MissedHeartbeats * Heartbeat) + (4 * Interval) + Slack;

    /// <summary>The longest that both need to agree once nothing goes wrong any more: twice silence, and being confirmed.</summary>
    public static TimeSpan Settles => (2 * 4 * Interval) + (6 * Heartbeat) + Slack;

    public static TimeSpan Slack => (4 * LongestDelay) + (4 * Lateness);

    /// <summary>Those that hold the addresses and can answer.</summary>
    public int Owners => Both.Count(d => d.HasAddresses && d.IsAwake);

    public int Changes => Both.Sum(d => d.Changes);

    public string Story => string.Join("; ", Both.Select(d => $"{d.Judge.Says.Priority} {d.Judge.Role} {d.Judge.Reason} since {d.Judge.Since - d.Offset:c}"));

    private Director[] Both => [Strong, Weak];

    /// <summary>From now on what this director sends over a link is lost, so many times out of one. Advertisements go over link 0.</summary>
    public void Lose(Director from, int link, double share) => _loss[link, from.Number] = share;

    public void LoseEverywhere(double share)
    {
        for (int link = 0; link < _loss.GetLength(0); link++)
        {
            Lose(Strong, link, share);
            Lose(Weak, link, share);
        }
    }

    public void Pause(Director director) => director.Sleep(Now);

    public void Resume(Director director)
    {
        director.WakeUp(Now);
        while (director.Sockets.TryDequeue(out Event? waiting))
            Take(waiting);
        Turn(director);
    }

    public void HandOver(Director director)
    {
        if (director.IsAwake)
            Do(director, director.Judge.HandOver(director.At(Now)));
    }

    public void Run(TimeSpan duration)
    {
        TimeSpan end = Now + duration;
        while (_events.TryPeek(out _, out (TimeSpan At, long) next) && next.At <= end)
        {
            Now = next.At;
            Event due = _events.Dequeue();
            if (due.To.IsAwake)
            {
                Take(due);
                Turn(due.To);
            }
            else if (due.Link >= 0 && due.To.Sockets.Count < Backlog)
                due.To.Sockets.Enqueue(due);
        }

        Now = end;
    }

    private void Take(Event due)
    {
        Director to = due.To;
        TimeSpan now = to.At(Now);
        if (due.Heard is { } heard)
            Do(to, to.Judge.Hear(heard, addressOrder: to.Number == 0 ? 1 : -1, now));
        if (due.Datagram is { } datagram && to.Peer.Hear(due.Link, datagram, now) is HeartbeatOutcome.Taken or HeartbeatOutcome.Unconfirmed)
            Do(to, to.Judge.HearPeer(to.Peer, now));
    }

    /// <summary>A turn of its loop, as the failover thread makes it.</summary>
    private void Turn(Director director)
    {
        TimeSpan now = director.At(Now);
        if (now >= director.Judge.Due)
            Do(director, director.Judge.Tick(now));
        if (now >= director.SpeaksAt)
            Speak(director);

        TimeSpan due = director.Judge.Due < director.SpeaksAt ? director.Judge.Due : director.SpeaksAt;
        if (due == director.WakesAt)
            return;
        director.WakesAt = due;
        Enqueue(director.When(due) + Share(Lateness), new(director));
    }

    private void Do(Director director, VrrpActions actions)
    {
        Role before = director.LastRole;
        director.LastRole = director.Judge.Role;
        if (actions.HasFlag(VrrpActions.DropAddresses))
            director.Drop();
        if (actions.HasFlag(VrrpActions.SayGoodbye))
            Advertise(director, Advertisement.Goodbye);
        if (actions.HasFlag(VrrpActions.TakeAddresses))
            director.HasAddresses = true;
        if (actions.HasFlag(VrrpActions.Advertise))
            Advertise(director, director.Judge.Priority);
        if (before == director.LastRole)
            return;

        director.Changes++;
        Speak(director);
    }

    private void Advertise(Director from, byte priority)
    {
        from.MayNotOweGivingUp();
        if (_random.NextDouble() >= _loss[0, from.Number])
            Enqueue(Now + Share(LongestDelay), new(Other(from), Link: 0, from.Judge.Advertisement with { Priority = priority }));
    }

    private void Speak(Director from)
    {
        from.MayNotOweGivingUp();
        TimeSpan now = from.At(Now);
        from.SpeaksAt = now + Heartbeat;
        from.Peer.BeginRound();
        for (int link = 0; link < _loss.GetLength(0); link++)
        {
            int length = from.Peer.Write(link, [from.Judge.Says], now, _buffer);
            if (_random.NextDouble() >= _loss[link, from.Number])
                Enqueue(Now + Share(LongestDelay), new(Other(from), link, Datagram: _buffer[..length]));
        }
    }

    private Director Other(Director director) => director == Strong ? Weak : Strong;

    private void Enqueue(TimeSpan at, Event @event) => _events.Enqueue(@event, (at < Now ? Now : at, _order++));

    private TimeSpan Share(TimeSpan most) => _random.NextDouble() * most;

    internal sealed record Event(Director To, int Link = -1, Advertisement? Heard = null, byte[]? Datagram = null);

    internal sealed class Director
    {
        private readonly string _name;
        private readonly double _rate;
        private TimeSpan? _asleepSince;
        private bool _owesGivingUp;

        public Director(int number, string name, string peer, byte priority, int links, double rate, Random random)
        {
            (Number, _name, _rate) = (number, name, rate);
            Offset = TimeSpan.FromHours(1 + random.Next(1000));
            Peer = new(name, peer, links, "the key of both"u8, Heartbeat, random);
            Judge = new(Instances.Named("web-vip") with { Priority = priority }, [Peer]) { Source = (UInt128)(uint)(number + 1) };
        }

        public int Number { get; }

        /// <summary>Machines start at different times.</summary>
        public TimeSpan Offset { get; }

        public PeerView Peer { get; }

        public Judge Judge { get; }

        public Role LastRole { get; set; }

        public int Changes { get; set; }

        public bool HasAddresses { get; set; }

        public bool IsAwake => _asleepSince is null;

        public TimeSpan SpeaksAt { get; set; } = TimeSpan.MinValue;

        public TimeSpan WakesAt { get; set; } = TimeSpan.MinValue;

        public Queue<Event> Sockets { get; } = new();

        public TimeSpan At(TimeSpan now) => Offset + (_rate * now);

        public TimeSpan When(TimeSpan local) => local < Offset ? TimeSpan.Zero : (local - Offset) / _rate;

        public void Drop() => HasAddresses = _owesGivingUp = false;

        public void Sleep(TimeSpan now) => _asleepSince ??= now;

        public void WakeUp(TimeSpan now)
        {
            if (_asleepSince is { } since)
                _owesGivingUp = HasAddresses && _rate * (now - since) >= 3 * Interval;
            _asleepSince = null;
            WakesAt = TimeSpan.MinValue;
        }

        public void MayNotOweGivingUp() => Assert.False(_owesGivingUp, $"director {_name} spoke before it had given up");
    }
}
