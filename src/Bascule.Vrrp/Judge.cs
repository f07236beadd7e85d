using System.Collections.Immutable;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Vrrp.Handover;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp;

/// <summary>
/// Decides what this director is for one instance: the protocol (<see cref="Router"/>), and around it what the protocol does not know: what
/// peers say over other links, what is tracked, sync groups, handovers. No clock, no socket, no thread; nothing allocates
/// after construction.
/// </summary>
/// <remarks>
/// The shell does what each call returns, at once and in the order of the members, and calls <see cref="Tick"/> no later than
/// <see cref="Due"/>. A call may make another judge of the same <see cref="JudgeGroup"/> due at once, so the shell looks at all of them
/// before it waits.
/// </remarks>
public sealed class Judge
{
    /// <summary>The number of the instance's own interface among what is tracked: always there, with weight 0.</summary>
    public const int OwnInterface = 0;

    private readonly VirtualRouter _self;
    private readonly Router _router;
    private readonly Weights _weights;
    private readonly ImmutableArray<PeerVoice> _voices;
    private JudgeGroup? _group;
    private VrrpActions _pending;
    private TimeSpan _lastLook;
    private bool _isStarted;
    private bool _handedOver;
    private byte _goodbyes;

    /// <param name="instance">What is configured.</param>
    /// <param name="peers">The other directors with heartbeats; none beside keepalived.</param>
    public Judge(HaInstance instance, ImmutableArray<PeerView> peers)
    {
        AddressFamily family = instance.Addresses.First(a => !a.IsExcluded).Address.AddressFamily;
        Name = instance.Name;
        Key = Heartbeat.InstanceKey(family, instance.VirtualRouterId, instance.Name);
        _self = new()
        {
            Id = instance.VirtualRouterId,
            Version = instance.Version,
            Interval = instance.AdvertInterval,
            Preempts = instance.Preempts,
            PreemptDelay = instance.PreemptDelay,
            MissedAdvertisements = instance.MissedAdvertisements,
            Lease = instance.Gate is { } gate && !(instance.Lease < gate) ? gate : instance.Lease ?? TimeSpan.Zero, // whichever ends first
        };
        _weights = new(instance.Priority, [new TrackedInterface(instance.Interface, 0), .. instance.Track]);
        _router = new(_self, _weights.Priority);
        _voices = [.. peers.Select(peer => new PeerVoice(peer, Key, _self))];
    }

    /// <summary>The key under <c>ha.instances</c>.</summary>
    public string Name { get; }

    /// <summary>What stands for it in heartbeats.</summary>
    public ulong Key { get; }

    /// <summary>Now.</summary>
    public Role Role => _router.Role;

    /// <summary>Since when.</summary>
    public TimeSpan Since => _router.Since;

    /// <summary>Why.</summary>
    public TransitionReason Reason => _router.Reason;

    /// <summary>What advertisements say now: 1 to 255, with what is tracked taken into account.</summary>
    public byte Priority => _router.Priority;

    /// <summary>When <see cref="Tick"/> must be called: in the past where something waits to be done; <see cref="TimeSpan.MaxValue"/> where no timer runs.</summary>
    public TimeSpan Due => _pending != VrrpActions.None ? TimeSpan.MinValue : _router.Due;

    /// <summary>How long the Active router may be silent. RFC 9568 §6.1.</summary>
    public TimeSpan ActiveDownInterval => _router.ActiveDownInterval;

    /// <summary>Our primary address as a number (<see cref="HeartbeatInstance.Number"/>); 0 while it is not known.</summary>
    public UInt128 Source { get; set; }

    /// <summary>Whether everything of weight 0 that is tracked is well.</summary>
    public bool IsWell => _weights.MayRun;

    /// <summary>What heartbeats say of it.</summary>
    public HeartbeatInstance Says => new(Key, Role, Priority, _goodbyes, _self.Interval, Source) { Handover = HandoverSays };

    /// <summary>What heartbeats say of a handover.</summary>
    public HandoverWord HandoverSays { get; set; }

    /// <summary>What an advertisement says now; of priority 0 where the shell says goodbye.</summary>
    public Advertisement Advertisement => new(_self.Version, _self.Id, Priority, _self.Interval);

    /// <summary>Whether it may run, as far as it knows itself; its group may know more.</summary>
    internal bool CanRun => _isStarted && IsWell;

    /// <summary>Whether it would be Active if its group let it.</summary>
    internal bool WantsActive { get; private set; }

    private TransitionReason WhyNot => !_isStarted ? TransitionReason.Stopped : !IsWell ? TransitionReason.Tracked : TransitionReason.SyncGroup;

    /// <summary>From here on it takes part, once what it tracks is well and so are the others of its group. RFC 9568 §6.4.1.</summary>
    public VrrpActions Start(TimeSpan now)
    {
        _isStarted = true;
        return Settled(now);
    }

    /// <summary>It takes part no more. RFC 9568 §6.4.2 and §6.4.3, the Shutdown event.</summary>
    public VrrpActions Stop(TimeSpan now)
    {
        _isStarted = false;
        return Settled(now);
    }

    /// <summary>
    /// Lets another router take over, and stays ready. It does not take the addresses back from the other one, however weak that
    /// is; it does when the other one falls silent or says goodbye.
    /// </summary>
    public VrrpActions HandOver(TimeSpan now) => Leave(now, TransitionReason.HandedOver);

    /// <summary>Somebody else took one of our addresses off the interface: whoever that was does not want it here.</summary>
    public VrrpActions AddressRemoved(TimeSpan now) => Leave(now, TransitionReason.AddressRemoved);

    /// <summary>Something that is tracked has been looked at.</summary>
    /// <param name="thing"><see cref="OwnInterface"/>, or one more than its number in <see cref="HaInstance.Track"/>.</param>
    /// <param name="isWell">Whether it is.</param>
    /// <param name="now">When.</param>
    /// <param name="number">A file's.</param>
    public VrrpActions SetWell(int thing, bool isWell, TimeSpan now, int number = 0)
    {
        _weights.Set(thing, isWell, number);
        _router.Priority = _weights.Priority;
        return Settled(now);
    }

    /// <summary>Another priority (neither is 255) or preempt mode was configured. No role changes by this; it counts in the next decision.</summary>
    public void Change(HaInstance instance)
    {
        _weights.Change(instance.Priority);
        _router.Priority = _weights.Priority;
        _router.Change(instance.Preempts, instance.PreemptDelay);
    }

    /// <summary>A timer fires, or might have. Early calls do no harm.</summary>
    public VrrpActions Tick(TimeSpan now)
    {
        Look(now, out bool wasLong);
        Role before = Role;
        if (before == Role.Backup && now >= _router.Due && !MayBecomeActive(now))
            return TakePending();

        VrrpActions actions = _router.Tick(now);
        // Long enough that others may have doubted us, and answered for the addresses meanwhile.
        if (wasLong && before == Role.Active && Role == Role.Active)
            actions |= VrrpActions.Announce;
        return Judged(before, actions, now);
    }

    /// <summary>An advertisement for this virtual router arrived as such.</summary>
    /// <param name="heard">Decoded; of this virtual router's id and version.</param>
    /// <param name="addressOrder">The sender's primary address compared with ours: below 0, 0 or above. RFC 9568 §6.4.3.</param>
    /// <param name="now">When it was taken up.</param>
    public VrrpActions Hear(in Advertisement heard, int addressOrder, TimeSpan now)
    {
        foreach (PeerVoice voice in _voices)
            voice.AdvertisementAt = heard.Priority == Advertisement.Goodbye ? null : now;
        return HearFromAnywhere(heard, addressOrder, now);
    }

    /// <summary>A heartbeat of this peer was Taken or Unconfirmed: what it says of this instance is heard as an advertisement is.</summary>
    public VrrpActions HearPeer(PeerView peer, TimeSpan now)
    {
        PeerVoice? voice = Find(peer);
        if (voice is null || !voice.TryListen(now, Role == Role.Active, out HeartbeatInstance says))
            return VrrpActions.None;

        VrrpActions actions = VrrpActions.None;
        if (voice.TakeGoodbye(says, now) && !_router.HeardGoodbye)
            actions = HearFromAnywhere(Heard(says, Advertisement.Goodbye), addressOrder: 0, now);
        if (Role == Role.Active && voice.HasNotHeardUs(now))
            return actions | Judged(Role.Active, _router.Yield(now, TransitionReason.NotHeard), now);
        if (voice.IsAdvertisement(says, Role, Priority, now) && Order(says) is { } order)
            actions |= HearFromAnywhere(Heard(says, says.Priority), order, now);
        return actions;
    }

    internal void Join(JudgeGroup group) => _group = group;

    /// <summary>Runs or not, as its group decided; what has to be done waits for the next <see cref="Tick"/>.</summary>
    internal void Follow(bool mayRun, TimeSpan now)
    {
        Role before = Role;
        VrrpActions actions = (mayRun, before) switch
        {
            (true, Role.Initialize) => _router.Start(now),
            (false, Role.Backup or Role.Active) => _router.Stop(now, WhyNot),
            _ => VrrpActions.None,
        };
        Record(before, actions);
    }

    /// <summary>Becomes Active, or Backup, because another of its group did; what has to be done waits for the next <see cref="Tick"/>.</summary>
    internal void Follow(Role role, TimeSpan now)
    {
        Role before = Role;
        VrrpActions actions = _router.GiveUpWhenOverslept(now); // then it must not even say goodbye
        actions |= role == Role.Active ? _router.TakeOver(now, TransitionReason.SyncGroup) : _router.HandOver(now, TransitionReason.SyncGroup);
        Record(before, actions);
    }

    private VrrpActions HearFromAnywhere(in Advertisement heard, int addressOrder, TimeSpan now)
    {
        Look(now, out _);
        Role before = Role;
        VrrpActions actions = _router.Hear(heard, addressOrder, now);
        WantsActive &= !_router.AcceptsWhoSpoke;
        return Judged(before, actions, now);
    }

    private VrrpActions Leave(TimeSpan now, TransitionReason reason)
    {
        Role before = Role;
        VrrpActions actions = _router.HandOver(now, reason);
        _handedOver |= actions != VrrpActions.None && reason == TransitionReason.HandedOver;
        return Judged(before, actions, now);
    }

    /// <summary>After something that decides whether it may run at all.</summary>
    private VrrpActions Settled(TimeSpan now)
    {
        if (_group is null)
            Follow(CanRun, now);
        else
            _group.Settle(now);
        return TakePending();
    }

    private VrrpActions Judged(Role before, VrrpActions actions, TimeSpan now)
    {
        Record(before, actions);
        if (Role != before)
            _group?.Changed(this, before, now);
        return TakePending();
    }

    private void Record(Role before, VrrpActions actions)
    {
        if ((actions & VrrpActions.SayGoodbye) != 0)
            _goodbyes++;
        // What is dropped now need not be taken first, and the other way round.
        if ((actions & VrrpActions.DropAddresses) != 0)
            _pending &= ~(VrrpActions.TakeAddresses | VrrpActions.Advertise | VrrpActions.Announce);
        _pending |= actions;
        if (Role == before)
            return;

        WantsActive = false;
        _handedOver &= Role == Role.Backup;
    }

    private VrrpActions TakePending()
    {
        VrrpActions actions = _pending;
        _pending = VrrpActions.None;
        return actions;
    }

    /// <summary>Alone: always. In a group: as soon as the timers of all its members have run out.</summary>
    private bool MayBecomeActive(TimeSpan now)
    {
        WantsActive = true;
        if (_group is null || _group.AllWantActive)
            return true;
        _router.WaitAgain(now);
        return false;
    }

    private void Look(TimeSpan now, out bool wasLong)
    {
        wasLong = now - _lastLook > ActiveDownInterval / 2;
        _lastLook = now;
        _router.MayPreempt = !_handedOver;
        foreach (PeerVoice voice in _voices)
            _router.MayPreempt &= !voice.IsDeaf(now);
    }

    private Advertisement Heard(in HeartbeatInstance says, byte priority) => new(_self.Version, _self.Id, priority, says.Interval);

    private int? Order(in HeartbeatInstance says) => says.Priority == Priority && (Source == 0 || says.Source == 0) ? null : says.Source.CompareTo(Source);

    private PeerVoice? Find(PeerView peer)
    {
        foreach (PeerVoice voice in _voices)
        {
            if (ReferenceEquals(voice.Peer, peer))
                return voice;
        }

        return null;
    }
}
