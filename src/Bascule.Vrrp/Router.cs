using Bascule.Core.Model;
using Bascule.Core.Roles;

namespace Bascule.Vrrp;

/// <summary>
/// The protocol itself, RFC 9568 §6.4: no clock, no socket, no thread. The same inputs give the same actions every time, and
/// nothing allocates. The names in capitals are the RFC's.
/// </summary>
/// <remarks>
/// Times are those since the machine's start, suspended time included. The shell calls <see cref="Tick"/> no later than
/// <see cref="Due"/> and <see cref="Hear"/> for every advertisement that passed the codec, and does what they return, at once.
/// What differs from the RFC: <see cref="VirtualRouter.PreemptDelay"/>, off where it is zero; giving up after a sleep; and what a
/// <see cref="Judge"/> decides, who knows more than one router does: <see cref="Priority"/>, <see cref="MayPreempt"/>,
/// <see cref="HandOver"/>, <see cref="TakeOver"/>, <see cref="WaitAgain"/>.
/// </remarks>
public sealed class Router
{
    private readonly VirtualRouter _self;
    private readonly TimeSpan _longestSleep;
    private bool _preempts;
    private TimeSpan _preemptDelay;
    private TimeSpan _activeInterval;  // Active_Adver_Interval
    private TimeSpan _preemptsFrom = TimeSpan.MaxValue;
    private TimeSpan _lastLook;
    private bool _heardGoodbye;
    private bool _heardWeaker;

    /// <summary>In <see cref="Role.Initialize"/>.</summary>
    public Router(VirtualRouter self, byte priority)
    {
        _self = self;
        (_preempts, _preemptDelay) = (self.Preempts, self.PreemptDelay);
        Priority = priority;
        _activeInterval = self.Interval;
        // What the others wait at least; their skew comes on top.
        TimeSpan patience = self.MissedAdvertisements * self.Interval;
        _longestSleep = self.Lease > TimeSpan.Zero && self.Lease < patience ? self.Lease : patience;
    }

    /// <summary>Now.</summary>
    public Role Role { get; private set; }

    /// <summary>Since when it has its role.</summary>
    public TimeSpan Since { get; private set; }

    /// <summary>Why it has its role.</summary>
    public TransitionReason Reason { get; private set; }

    /// <summary>When <see cref="Tick"/> must be called; <see cref="TimeSpan.MaxValue"/> where no timer runs.</summary>
    public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

    /// <summary>1 to 255. May change while it runs; it counts from the next decision on.</summary>
    public byte Priority { get; set; }

    /// <summary>False: as long as another one serves, it is left in peace, whatever the mode and however weak it is.</summary>
    public bool MayPreempt { get; set; } = true;

    /// <summary>Whether the Active router said goodbye, and nothing was heard of one since.</summary>
    internal bool HeardGoodbye => _heardGoodbye;

    /// <summary>Whether the advertisement heard last is one whose sender it leaves in peace.</summary>
    internal bool AcceptsWhoSpoke => !_heardGoodbye && !_heardWeaker;

    /// <summary>Skew_Time: what keeps Backups of different priority from taking over all at once. RFC 9568 §6.1, RFC 3768 §6.1.</summary>
    public TimeSpan SkewTime => SkewUnit * (256 - Priority) / 256; // multiplied first: it may be less than a millisecond

    /// <summary>Active_Down_Interval: how long the Active router may be silent. RFC 9568 §6.1.</summary>
    public TimeSpan ActiveDownInterval => (_self.MissedAdvertisements * _activeInterval) + SkewTime;

    private bool IsOwner => Priority == Advertisement.Owner;

    private TimeSpan SkewUnit => _self.Version == VrrpVersion.V2 ? TimeSpan.FromSeconds(1) : _activeInterval;

    /// <summary>Startup. RFC 9568 §6.4.1.</summary>
    public VrrpActions Start(TimeSpan now)
    {
        if (Role != Role.Initialize)
            return VrrpActions.None;

        _activeInterval = _self.Interval;
        _lastLook = now;
        return IsOwner ? BecomeActive(now, TransitionReason.Started) : BecomeBackup(now, TransitionReason.Started);
    }

    /// <summary>Shutdown, or the loss of something that is tracked. RFC 9568 §6.4.2 and §6.4.3.</summary>
    public VrrpActions Stop(TimeSpan now, TransitionReason reason = TransitionReason.Stopped)
    {
        Role before = Role;
        Enter(Role.Initialize, now, reason, due: TimeSpan.MaxValue);
        return before == Role.Active ? VrrpActions.DropAddresses | VrrpActions.SayGoodbye : VrrpActions.None;
    }

    /// <summary>
    /// Lets another router take over, and stays ready: as the RFC's shutdown and startup in one. The other one has the whole
    /// Active_Down_Interval to do so; then this one takes the addresses back.
    /// </summary>
    public VrrpActions HandOver(TimeSpan now, TransitionReason reason = TransitionReason.HandedOver)
    {
        if (Role != Role.Active)
            return VrrpActions.None;

        BecomeBackup(now, reason);
        return VrrpActions.DropAddresses | VrrpActions.SayGoodbye;
    }

    /// <summary>Another preempt mode was configured; it counts from the next advertisement on.</summary>
    internal void Change(bool preempts, TimeSpan delay) => (_preempts, _preemptDelay) = (preempts, delay);

    /// <summary>As <see cref="HandOver"/>, but without a goodbye: another one is Active already.</summary>
    internal VrrpActions Yield(TimeSpan now, TransitionReason reason) => HandOver(now, reason) & ~VrrpActions.SayGoodbye;

    /// <summary>A Backup becomes Active at once.</summary>
    internal VrrpActions TakeOver(TimeSpan now, TransitionReason reason) =>
        Role == Role.Backup ? BecomeActive(now, reason) : VrrpActions.None;

    /// <summary>The Active_Down_Timer of a Backup starts anew.</summary>
    internal void WaitAgain(TimeSpan now)
    {
        if (Role == Role.Backup)
            Due = now + ActiveDownInterval;
    }

    /// <summary>A timer fires, or might have: what is due at this time. Early calls do no harm.</summary>
    public VrrpActions Tick(TimeSpan now)
    {
        VrrpActions gaveUp = GiveUpWhenOverslept(now);
        if (gaveUp != VrrpActions.None || now < Due)
            return gaveUp;

        if (Role == Role.Active)
            return Speak(now);

        TransitionReason reason = _heardGoodbye ? TransitionReason.Goodbye : _heardWeaker ? TransitionReason.Preempted : TransitionReason.Silence;
        return BecomeActive(now, reason);
    }

    /// <summary>An advertisement for this virtual router arrived.</summary>
    /// <param name="heard">Decoded; of this virtual router's id and version.</param>
    /// <param name="addressOrder">The sender's primary address compared with ours: below 0, 0 or above. RFC 9568 §6.4.3.</param>
    /// <param name="now">When it was taken up.</param>
    public VrrpActions Hear(in Advertisement heard, int addressOrder, TimeSpan now)
    {
        // What waited in the socket while we slept is heard by a router that has given up already.
        VrrpActions gaveUp = GiveUpWhenOverslept(now);
        return gaveUp | (Role switch
        {
            Role.Initialize => VrrpActions.None,
            Role.Backup => HearAsBackup(heard, now),
            Role.Active => HearAsActive(heard, addressOrder, now),
        });
    }

    /// <summary>An Active router that slept too long is Backup from now on, before anything else.</summary>
    internal VrrpActions GiveUpWhenOverslept(TimeSpan now)
    {
        TimeSpan slept = now - _lastLook;
        _lastLook = now;
        if (Role != Role.Active || slept < _longestSleep)
            return VrrpActions.None;

        BecomeBackup(now, TransitionReason.Overslept);
        return VrrpActions.DropAddresses;
    }

    /// <summary>RFC 9568 §6.4.2.</summary>
    private VrrpActions HearAsBackup(in Advertisement heard, TimeSpan now)
    {
        // The Active router is leaving on purpose, so take the short wait.
        if (heard.Priority == Advertisement.Goodbye)
        {
            _heardGoodbye = true;
            Due = now + SkewTime;
            return VrrpActions.None;
        }

        // A weaker router is Active, and we may preempt. Say nothing; our own timer will run out and we take over.
        if (heard.Priority < Priority && Preempts(now))
        {
            _heardWeaker = true;
            return VrrpActions.None;
        }

        if (heard.Priority >= Priority)
            _preemptsFrom = TimeSpan.MaxValue;
        _heardGoodbye = _heardWeaker = false;
        _activeInterval = heard.Interval;
        Due = now + ActiveDownInterval;
        return VrrpActions.None;
    }

    /// <summary>RFC 9568 §6.4.3.</summary>
    private VrrpActions HearAsActive(in Advertisement heard, int addressOrder, TimeSpan now)
    {
        // Another router that had become Active leaves: tell those who heard both whom to listen to.
        if (heard.Priority == Advertisement.Goodbye)
            return Speak(now);

        if (heard.Priority > Priority || (heard.Priority == Priority && addressOrder > 0))
        {
            _activeInterval = heard.Interval;
            BecomeBackup(now, heard.Priority > Priority ? TransitionReason.HigherPriority : TransitionReason.HigherAddress);
            return VrrpActions.DropAddresses;
        }

        // It does not know of us, and may have drawn the clients and the switches to itself: assert the addresses again.
        return Speak(now) | VrrpActions.Announce;
    }

    private bool Preempts(TimeSpan now)
    {
        if (!MayPreempt)
            return false;
        if (IsOwner)
            return true; // RFC 9568 §6.1, Preempt_Mode
        if (!_preempts)
            return false;
        if (_preemptsFrom == TimeSpan.MaxValue)
            _preemptsFrom = now + _preemptDelay;
        return now >= _preemptsFrom;
    }

    private VrrpActions BecomeBackup(TimeSpan now, TransitionReason reason)
    {
        _heardGoodbye = _heardWeaker = false;
        _preemptsFrom = TimeSpan.MaxValue;
        Enter(Role.Backup, now, reason, now + ActiveDownInterval);
        return VrrpActions.None;
    }

    private VrrpActions BecomeActive(TimeSpan now, TransitionReason reason)
    {
        Enter(Role.Active, now, reason, now + _self.Interval);
        return VrrpActions.TakeAddresses | VrrpActions.Advertise | VrrpActions.Announce;
    }

    private VrrpActions Speak(TimeSpan now)
    {
        Due = now + _self.Interval;
        return VrrpActions.Advertise;
    }

    private void Enter(Role role, TimeSpan now, TransitionReason reason, TimeSpan due)
    {
        if (Role != role)
            Since = now;
        (Role, Reason, Due) = (role, reason, due);
    }
}
