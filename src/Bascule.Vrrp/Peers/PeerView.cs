using System.Collections.Immutable;

namespace Bascule.Vrrp.Peers;

/// <summary>
/// What this director knows of another one, from its heartbeats, and what it says to it. No clock, no socket, no thread; nothing
/// allocates after construction.
/// </summary>
/// <remarks>
/// Every interval, and at once when a role changes: <see cref="BeginRound"/>, then <see cref="Write"/> for each link. For every
/// datagram from one of the peer's addresses: <see cref="Hear"/>, and when that is Taken or Unconfirmed, every <see cref="Judge.HearPeer"/>.
/// </remarks>
public sealed class PeerView
{
    /// <summary>Heartbeats that may be missing before a link counts as not heard: at 30 % loss that is one time in 15,000.</summary>
    public const int MissedHeartbeats = 8;

    private readonly HeartbeatCodec _codec;
    private readonly ulong _ourKey;
    private readonly ulong _theirKey;
    private readonly ulong _incarnation;
    private readonly TimeSpan _interval;
    private HeartbeatInstance[] _says = new HeartbeatInstance[Heartbeat.MaxInstances];
    private HeartbeatInstance[] _reading = new HeartbeatInstance[Heartbeat.MaxInstances];
    private ReplayWindow _window;
    private Heartbeat _last;
    private TimeSpan? _lastAt;
    private ulong _echoIncarnation;
    private ulong _echoRound;
    private ulong _round;

    /// <param name="node">This director's name.</param>
    /// <param name="name">The peer's.</param>
    /// <param name="links">How many addresses it has. 1 to 8.</param>
    /// <param name="key">That the two share.</param>
    /// <param name="interval">Between two rounds.</param>
    /// <param name="random">For this life's number: cryptographic strength is not needed, the key is what keeps strangers out.</param>
    public PeerView(string node, string name, int links, ReadOnlySpan<byte> key, TimeSpan interval, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(links is >= 1 and <= Heartbeat.MaxLinks, true, nameof(links));
        Name = name;
        _codec = new(key);
        (_ourKey, _theirKey) = (Heartbeat.NodeKey(node), Heartbeat.NodeKey(name));
        _interval = interval;
        _incarnation = (ulong)random.NextInt64(1, long.MaxValue);
        Links = [.. Enumerable.Range(0, links).Select(_ => new PeerLink())];
    }

    /// <summary>The peer's <c>node</c>.</summary>
    public string Name { get; }

    /// <summary>In the order of its addresses in the configuration.</summary>
    public ImmutableArray<PeerLink> Links { get; }

    /// <summary>What we tell it: that we have handed over, and serve what was open.</summary>
    public bool WeDrain { get; set; }

    /// <summary>What we tell it: the version of our configuration.</summary>
    public ulong OurConfigurationVersion { get; set; }

    /// <summary>When it last said something new; null: never.</summary>
    public TimeSpan? LastHeard => _lastAt;

    /// <summary>Whether what it said last is known to be said in this life of ours, and not a recording.</summary>
    public bool IsConfirmed => _lastAt is not null && _last.Incarnation == _window.Incarnation;

    /// <summary>Whether it has handed over and serves what was open, as it last said.</summary>
    public bool IsDraining => IsConfirmed && _last.IsDraining;

    /// <summary>Of the configuration that it runs, as it last said.</summary>
    public ulong ConfigurationVersion => _last.ConfigurationVersion;

    /// <summary>What it last said of its instances; as old as <see cref="LastHeard"/>.</summary>
    public ReadOnlySpan<HeartbeatInstance> Says => _says.AsSpan(0, _last.Instances);

    /// <summary>Whether it said that it hears us, on any link.</summary>
    public bool HearsUs => _last.HeardLinks != 0;

    /// <summary>How long what it said is recent.</summary>
    private TimeSpan Patience => MissedHeartbeats * (_last.Interval > _interval ? _last.Interval : _interval);

    /// <summary>Whether it is heard, on any link, and confirmed.</summary>
    public bool IsHeard(TimeSpan now) => IsConfirmed && IsRecent(now);

    /// <summary>Whether it is heard on this link.</summary>
    public bool IsHeard(int link, TimeSpan now) => now - Links[link].LastHeard < Patience;

    /// <summary>Whether it says that it hears us on this link; null while we do not know.</summary>
    public bool? HearsUsOn(int link, TimeSpan now) =>
        IsHeard(now) && Links[link].TheirNumber is { } number ? (_last.HeardLinks & (1 << number)) != 0 : null;

    /// <summary>Whether we hear it on this link, and it does not hear us there.</summary>
    public bool IsOneWay(int link, TimeSpan now) => IsHeard(link, now) && HearsUsOn(link, now) == false;

    /// <summary>What it last said of an instance.</summary>
    /// <returns>Whether it knows of it.</returns>
    public bool TryFind(ulong instanceKey, out HeartbeatInstance says)
    {
        foreach (ref readonly HeartbeatInstance each in Says)
        {
            if (each.Key == instanceKey)
            {
                says = each;
                return true;
            }
        }

        says = default;
        return false;
    }

    /// <summary>A datagram arrived from one of its addresses. Nothing in it throws.</summary>
    /// <param name="link">The number of that address.</param>
    /// <param name="message">What followed the UDP header.</param>
    /// <param name="now">When it was taken up.</param>
    public HeartbeatOutcome Hear(int link, ReadOnlySpan<byte> message, TimeSpan now)
    {
        HeartbeatOutcome outcome = Decide(link, message, now, out Heartbeat heard);
        if (outcome is not (HeartbeatOutcome.Taken or HeartbeatOutcome.Repeated or HeartbeatOutcome.Unconfirmed))
            Links[link].Rejected++;
        // As long as the life that we believe in is heard, another one gets no word in.
        if (outcome == HeartbeatOutcome.Taken || (outcome == HeartbeatOutcome.Unconfirmed && !IsHeard(now)))
            Remember(heard, now);
        return outcome;
    }

    /// <summary>From here on the next heartbeat of each link is written.</summary>
    public void BeginRound() => _round++;

    /// <summary>Writes this round's heartbeat for one link.</summary>
    /// <param name="link">0 to the number of links less one.</param>
    /// <param name="instances"><see cref="Judge.Says"/> of each, at most <see cref="Heartbeat.MaxInstances"/>.</param>
    /// <param name="now">When it is sent.</param>
    /// <param name="message">At least <see cref="HeartbeatCodec.MaxLength"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public int Write(int link, ReadOnlySpan<HeartbeatInstance> instances, TimeSpan now, Span<byte> message)
    {
        Links[link].Sent++;
        return _codec.Encode(new()
        {
            Sender = _ourKey,
            Receiver = _theirKey,
            Incarnation = _incarnation,
            Round = _round,
            EchoIncarnation = _echoIncarnation,
            EchoRound = _echoRound,
            Link = (byte)link,
            HeardLinks = HeardLinks(now),
            Interval = _interval,
            IsDraining = WeDrain,
            ConfigurationVersion = OurConfigurationVersion,
        }, instances, message);
    }

    /// <summary>Whether what it said last, confirmed or not, is recent.</summary>
    internal bool IsRecent(TimeSpan now) => now - _lastAt < Patience;

    private HeartbeatOutcome Decide(int link, ReadOnlySpan<byte> message, TimeSpan now, out Heartbeat heard)
    {
        HeartbeatOutcome outcome = _codec.TryDecode(message, _reading, out heard);
        if (outcome != HeartbeatOutcome.Taken) return outcome;
        if (heard.Sender != _theirKey || heard.Receiver != _ourKey) return HeartbeatOutcome.WrongPeer;

        outcome = _window.Hear(heard, _incarnation, out ulong missed);
        if (outcome is HeartbeatOutcome.Taken or HeartbeatOutcome.Repeated)
            Links[link].Hear(heard.Link, missed, now);
        return outcome;
    }

    private void Remember(in Heartbeat heard, TimeSpan now)
    {
        (_says, _reading) = (_reading, _says);
        (_last, _lastAt) = (heard, now);
        (_echoIncarnation, _echoRound) = (heard.Incarnation, heard.Round);
    }

    private byte HeardLinks(TimeSpan now)
    {
        int heard = 0;
        for (int link = 0; link < Links.Length; link++)
        {
            if (IsHeard(link, now))
                heard |= 1 << link;
        }

        return (byte)heard;
    }
}
