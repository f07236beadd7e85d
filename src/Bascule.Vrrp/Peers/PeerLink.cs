namespace Bascule.Vrrp.Peers;

/// <summary>One way between this director and another, and what came and went over it.</summary>
public sealed class PeerLink
{
    /// <summary>When the peer was heard on it last; null: never.</summary>
    public TimeSpan? LastHeard { get; internal set; }

    /// <summary>Heartbeats sent.</summary>
    public long Sent { get; internal set; }

    /// <summary>Heartbeats that were authentic and no replay.</summary>
    public long Received { get; private set; }

    /// <summary>Gaps in the numbers of those received: sent by the peer, and not arrived.</summary>
    public long Lost { get; private set; }

    /// <summary>Those that were neither taken, nor repeated, nor unconfirmed.</summary>
    public long Rejected { get; internal set; }

    /// <summary>This link in the peer's numbers, which may be in another order; null: not known yet.</summary>
    internal byte? TheirNumber { get; private set; }

    internal void Hear(byte theirNumber, ulong missed, TimeSpan now)
    {
        TheirNumber = theirNumber;
        LastHeard = now;
        Received++;
        Lost += (long)ulong.Min(missed, long.MaxValue - (ulong)Lost);
    }
}

/// <summary>
/// What has been heard of one peer's lives, so that no recording passes for it. Rounds grow on each of its links. Another life
/// of the peer is believed once it answers a round of ours that is later than any the life before it answered: no
/// recording can do that.
/// </summary>
internal struct ReplayWindow
{
    private LinkRounds _rounds;
    private ulong _answered;

    /// <summary>Of the peer's life that is believed; 0: none yet.</summary>
    public ulong Incarnation { get; private set; }

    /// <summary>The latest round of that life, over all links.</summary>
    public ulong Latest { get; private set; }

    /// <summary>Looks whether an authentic heartbeat is news, and remembers it if so.</summary>
    /// <param name="heard">What arrived.</param>
    /// <param name="ourIncarnation">Of this director's life.</param>
    /// <param name="missed">How many rounds before it did not arrive on its link.</param>
    public HeartbeatOutcome Hear(in Heartbeat heard, ulong ourIncarnation, out ulong missed)
    {
        missed = 0;
        bool answersUs = heard.EchoIncarnation == ourIncarnation;
        if (heard.Incarnation != Incarnation)
        {
            if (!answersUs || heard.EchoRound <= _answered)
                return HeartbeatOutcome.Unconfirmed;
            (Incarnation, Latest, _rounds) = (heard.Incarnation, 0, default);
        }

        ref ulong last = ref _rounds[heard.Link];
        if (heard.Round <= last)
            return HeartbeatOutcome.Replayed;

        if (last != 0)
            missed = heard.Round - last - 1;
        last = heard.Round;
        if (answersUs)
            _answered = ulong.Max(_answered, heard.EchoRound);
        if (heard.Round <= Latest)
            return HeartbeatOutcome.Repeated;

        Latest = heard.Round;
        return HeartbeatOutcome.Taken;
    }

    [System.Runtime.CompilerServices.InlineArray(Heartbeat.MaxLinks)]
    private struct LinkRounds
    {
        private ulong _first;
    }
}
