using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp;

/// <summary>What one peer says of one instance in its heartbeats, and what follows from it.</summary>
internal sealed class PeerVoice(PeerView peer, ulong instanceKey, VirtualRouter self)
{
    private byte _goodbyes;
    private TimeSpan? _activeAt;
    private TimeSpan? _deafSince;
    private TimeSpan? _answeredAt;
    private TimeSpan? _listenedAt;
    private TimeSpan _patience;

    public PeerView Peer => peer;

    /// <summary>When an advertisement was heard as such, from anybody; null: none, or it was a goodbye.</summary>
    public TimeSpan? AdvertisementAt { get; set; }

    /// <summary>A heartbeat came. Takes up what it says.</summary>
    /// <param name="now">When.</param>
    /// <param name="weAreActive">Whether we are, so that the peer should hear us.</param>
    /// <param name="says">Of this instance.</param>
    /// <returns>Whether it speaks of this instance at all.</returns>
    public bool TryListen(TimeSpan now, bool weAreActive, out HeartbeatInstance says)
    {
        if (!peer.TryFind(instanceKey, out says))
        {
            _activeAt = _deafSince = null;
            return false;
        }

        _patience = (self.MissedAdvertisements * says.Interval) + (self.Version == VrrpVersion.V2 ? TimeSpan.FromSeconds(1) : says.Interval);
        // After a silence of both it cannot have heard us yet: it has as long as the first time.
        if (now - _listenedAt >= _patience)
            _deafSince = null;
        _listenedAt = now;

        bool isDeaf = says.Role == Role.Active && !peer.HearsUs && IsBelieved(now);
        if (!isDeaf)
            _deafSince = null;
        else if (weAreActive)
            _deafSince ??= now;
        return true;
    }

    /// <summary>Whether this says goodbye: once, and only if it was Active a moment ago.</summary>
    public bool TakeGoodbye(in HeartbeatInstance says, TimeSpan now)
    {
        if (!peer.IsConfirmed)
            return false;

        bool isNews = says.Goodbyes != _goodbyes;
        bool wasActive = now - _activeAt < _patience;
        _goodbyes = says.Goodbyes;
        _activeAt = says.Role == Role.Active ? now : null;
        return isNews && wasActive && says.Role != Role.Active;
    }

    /// <summary>
    /// Whether this counts as an advertisement. Heartbeats come faster than those, and each advertisement of a weaker router is
    /// answered by an Active one with all its announcements: at most one an interval, then.
    /// </summary>
    public bool IsAdvertisement(in HeartbeatInstance says, Role ourRole, byte ourPriority, TimeSpan now)
    {
        if (!peer.IsConfirmed || says.Role != Role.Active)
            return false;
        if (ourRole != Role.Active || says.Priority > ourPriority)
            return true;
        if (now - _answeredAt < self.Interval)
            return false;

        _answeredAt = now;
        return true;
    }

    /// <summary>Whether it is Active, hears us on no link, and would long have heard us: it cannot know of us, and does not give way.</summary>
    public bool HasNotHeardUs(TimeSpan now) => now - _deafSince >= _patience && IsDeaf(now);

    /// <summary>Whether it is Active and hears us on no link, as far as we know.</summary>
    public bool IsDeaf(TimeSpan now) => _deafSince is not null && peer.IsRecent(now);

    // An unconfirmed heartbeat may be a recording. It is believed together with advertisements, which may make us give way without it.
    private bool IsBelieved(TimeSpan now) => peer.IsConfirmed || now - AdvertisementAt < _patience;
}
