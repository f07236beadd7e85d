using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Handover;

/// <summary>What peers say of a handover of one instance: of several, the one that hands over counts. Written by the failover thread.</summary>
internal sealed class HandoverWords
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3); // heartbeats come every second or faster

    private PeerView? _speaker;
    private int _word;
    private long _at = long.MinValue;

    /// <summary>The last word. Any thread.</summary>
    public HandoverWord Latest => (HandoverWord)Volatile.Read(ref _word);

    /// <summary>Whether it was said a short time ago. Any thread.</summary>
    public bool AreRecent(TimeSpan now) => Volatile.Read(ref _at) is var at && at != long.MinValue && now - new TimeSpan(at) < Patience;

    /// <summary>A heartbeat came. Allocates nothing.</summary>
    /// <returns>Whether it says something else than the one before.</returns>
    public bool Hear(PeerView peer, HandoverWord word, TimeSpan now)
    {
        if (_speaker != peer && Latest != HandoverWord.None && word == HandoverWord.None && AreRecent(now))
            return false;
        bool isNews = Latest != word;
        _speaker = peer;
        Volatile.Write(ref _word, (int)word);
        Volatile.Write(ref _at, now.Ticks);
        return isNews;
    }
}
