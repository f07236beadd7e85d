using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Bascule.Linux.Sockets;
using Bascule.Vrrp.Addresses;
using Bascule.Vrrp.Handover;
using Bascule.Vrrp.Peers;
using Bascule.Vrrp.Track;

namespace Bascule.Vrrp.Engine;

/// <summary>
/// One virtual router of this director: hears for it, asks its <see cref="Judge"/>, and does what that says, in the order of
/// <see cref="VrrpActions"/>. Failover thread only, but for what is marked.
/// </summary>
internal sealed class Instance : IDisposable
{
    private static readonly TimeSpan GatePatience = TimeSpan.FromSeconds(2);

    private readonly VrrpLink _link;
    private readonly FailoverLoop _loop;
    private readonly AddressKeeper _keeper;
    private readonly Announcer _announcer;
    private readonly Gate? _gate;
    private readonly ConflictProbe? _probe;
    private readonly Speech _speech;
    private readonly SenderBook _senders = new();
    private readonly TrackedState?[] _tracked;
    private int _preparedOn; // index of its interface; 0: not yet
    private bool _isDraining;
    private volatile bool _gateStands; // its rules were made
    private IPAddress? _heard;
    private byte _heardPriority;
    private long _heardAt;

    public Instance(HaInstance configured, VrrpLink link, ImmutableArray<PeerView> peers, IReadOnlyDictionary<SecretSource, byte[]> secrets, FailoverLoop loop)
    {
        (Configured, _link, _loop) = (configured, link, loop);
        Judge = new(configured, peers);
        _keeper = new(configured);
        _announcer = new(_keeper, configured.Announce);
        _gate = GateRules.AreNeeded(configured) ? new(configured) : null;
        _probe = configured.ConflictProbe > TimeSpan.Zero ? new(configured, _keeper) : null;
        _speech = new(configured, link, Counters, secrets, loop.Time);
        _tracked = new TrackedState?[configured.Track.Count];
        History = new(new(configured.Name, Role.Initialize, Role.Initialize, TransitionReason.None, loop.Time.GetUtcNow()));
    }

    /// <summary>As configured now. Any thread.</summary>
    public HaInstance Configured { get; private set; }

    public Judge Judge { get; }

    /// <summary>Any thread may read it.</summary>
    public InstanceCounters Counters { get; } = new();

    /// <summary>Any thread may read it.</summary>
    public RoleHistory History { get; }

    /// <summary>What peers say of a handover. Any thread may read it.</summary>
    public HandoverWords HandoverWords { get; } = new();

    /// <summary>As published. Any thread.</summary>
    public Role Role => History.Latest.To;

    /// <summary>Announcements sent. Any thread.</summary>
    public long Announced => _announcer.Sent;

    /// <summary>What signs its advertisements; null where nothing does. Its counters: any thread.</summary>
    public HmacTrailer? Hmac => _speech.Hmac;

    /// <summary>Whose advertisement came last, and when; null: nobody's yet. Any thread; the three may be of two that followed each other.</summary>
    public (IPAddress Address, byte Priority, TimeSpan At)? Heard =>
        Volatile.Read(ref _heard) is { } heard ? (heard, Volatile.Read(ref _heardPriority), new TimeSpan(Volatile.Read(ref _heardAt))) : null;

    /// <summary>Why its own interface does not let it take part; null when it does. Any thread.</summary>
    public string? InterfaceTrouble { get; private set; } = "it has not been looked at yet";

    /// <summary>When <see cref="Tick"/> must be called.</summary>
    public TimeSpan Due => TimeSpan.FromTicks(long.Min(
        long.Min(Judge.Due.Ticks, long.Min(_keeper.Due.Ticks, _announcer.Due.Ticks)),
        long.Min((_gate?.Due ?? TimeSpan.MaxValue).Ticks, (_probe?.Due ?? TimeSpan.MaxValue).Ticks)));

    /// <summary>Who else has its addresses, a sentence each; empty: nobody that we know of. Any thread.</summary>
    public IReadOnlyList<string> Conflicts { get; private set; } = [];

    /// <summary>What is known of a tracked thing; null: nothing yet. Any thread.</summary>
    public TrackedState? Tracked(int number) => Volatile.Read(ref _tracked[number]);

    /// <summary>The interface may have come, gone or changed.</summary>
    public void LookAgain(TimeSpan now)
    {
        string? trouble = _link.WhyNot;
        if (trouble is null && !_speech.TryFindSource())
            trouble = $"interface {_link.Name} has no {(_link.Family == AddressFamily.InterNetwork ? "IPv4" : "IPv6 link-local")} address to speak from";
        Judge.Source = _speech.Source is { } source ? HeartbeatInstance.Number(source) : 0;
        if (_link.Index > 0)
            Prepare(now);
        if (trouble == InterfaceTrouble)
            return;
        InterfaceTrouble = trouble;
        if (trouble is not null && Judge.Role == Role.Initialize)
            _loop.Say(new NotStarted(Configured.Name, trouble));
        Do(Judge.SetWell(Judge.OwnInterface, trouble is null, now), now);
    }

    /// <summary>What can be changed while it runs was changed.</summary>
    public void Change(HaInstance configured)
    {
        Configured = configured;
        Judge.Change(configured);
    }

    /// <summary>Begins to take part.</summary>
    public void Start(TimeSpan now) => Do(Judge.Start(now), now);

    /// <summary>Something changed in the network.</summary>
    public void Hear(NetworkEvent change, TimeSpan now)
    {
        switch (_keeper.Hear(change, now))
        {
            case AddressLoss.None:
                break;
            case AddressLoss.PutBack:
                _loop.Say(new AddressPutBack(Configured.Name));
                _announcer.Again(now);
                break;
            case AddressLoss.Lost:
                Do(Judge.AddressRemoved(now), now);
                break;
        }
    }

    /// <summary>Something that is tracked has changed.</summary>
    public void Hear(Tracked tracked, TrackedState state, TimeSpan now)
    {
        for (int i = 0; i < _tracked.Length; i++)
        {
            if (!Configured.Track[i].Equals(tracked))
                continue;
            Volatile.Write(ref _tracked[i], state);
            Do(Judge.SetWell(i + 1, state.IsWell, now, state.Value), now);
        }
    }

    /// <summary>A packet of our virtual router's id.</summary>
    public void Receive(in ReceivedPacket packet, ReadOnlySpan<byte> message, TimeSpan now)
    {
        if (_speech.Source is null)
            return;
        IPAddress from = _senders.Find(packet.Source);
        DecodeError error = _speech.TryUnderstand(packet, message, from, _loop.Destinations.Find(packet.Destination), out Advertisement advertisement);
        if (error != DecodeError.None)
        {
            Counters.Reject(error);
            return;
        }

        Volatile.Write(ref _heardPriority, advertisement.Priority);
        Volatile.Write(ref _heardAt, now.Ticks);
        Volatile.Write(ref _heard, from);
        Do(Judge.Hear(advertisement, _speech.CompareToOurs(packet.Source), now), now);
    }

    /// <summary>A peer's heartbeat came.</summary>
    public void Hear(PeerView peer, TimeSpan now)
    {
        if (peer.IsConfirmed && peer.TryFind(Judge.Key, out HeartbeatInstance says) && HandoverWords.Hear(peer, says.Handover, now))
            _loop.Say(new HandoverWordHeard(Configured.Name));
        Do(Judge.HearPeer(peer, now), now);
    }

    /// <summary>What is due at this time.</summary>
    public void Tick(TimeSpan now)
    {
        Do(Judge.Tick(now), now);
        if (now >= _keeper.Due)
            _keeper.Refresh(now);
        if (_gate is not null && now >= _gate.Due)
            RefreshGate(_gate, now);
        if (_probe is not null)
            LookForOthers(_probe, now);
        _announcer.Tick(now);
    }

    /// <summary>Says goodbye and takes no part any more.</summary>
    public void Stop(TimeSpan now) => Do(Judge.Stop(now), now);

    /// <summary>Lets another take over.</summary>
    public void HandOver(TimeSpan now) => Do(Judge.HandOver(now), now);

    /// <summary>Until <see cref="EndDraining"/>, connections that are open here go on when the addresses are given away.</summary>
    public void BeginDraining() => _isDraining = true;

    /// <summary>They go on no more.</summary>
    public void EndDraining()
    {
        _isDraining = false;
        if (Role != Role.Active)
            _gate?.Close();
    }

    public void Dispose()
    {
        if (_gate is not null)
            Task.Run(() => _gate.RemoveAsync(_loop.Time, CancellationToken.None)).Wait(GatePatience);
        _gate?.Dispose();
        _probe?.Dispose();
        _speech.Dispose();
        _announcer.Dispose();
        _keeper.Dispose();
    }

    // Again on an interface that was made anew: the virtual MAC's, and the gate of an older kernel, went with the former one.
    private void Prepare(TimeSpan now)
    {
        if (_preparedOn != _link.Index)
        {
            _preparedOn = _link.Index;
            Do(Judge.AddressRemoved(now), now);
            Complain(_keeper.Start());
            if (_gate is not null)
                _ = Task.Run(() => SetUpAsync(_gate)); // a program: the failover thread does not wait for it
        }

        _announcer.Prepare();
    }

    private void Do(VrrpActions actions, TimeSpan now)
    {
        bool becomesActive = Role != Role.Active && Judge.Role == Role.Active;
        if (becomesActive)
            Publish(now); // engines that serve the addresses begin while we take them
        if (actions != VrrpActions.None)
            Act(actions, now);
        if (Role != Judge.Role)
            Publish(now);
    }

    private void Act(VrrpActions actions, TimeSpan now)
    {
        if ((actions & VrrpActions.DropAddresses) != 0)
        {
            if (_isDraining)
                _gate?.Drain(now);
            else
                _gate?.Close();
            Complain(_keeper.Drop());
            _announcer.Stop();
            _probe?.Stop();
            Conflicts = [];
        }

        if ((actions & VrrpActions.SayGoodbye) != 0)
            _speech.Say(Judge.Advertisement with { Priority = Advertisement.Goodbye });
        if ((actions & VrrpActions.TakeAddresses) != 0)
        {
            Counters.BecameActive++;
            Complain(_keeper.Take(now));
            _gate?.Open(now);
            _probe?.Begin(now, _keeper.Links);
        }

        if ((actions & VrrpActions.Advertise) != 0)
            _speech.Say(Judge.Advertisement);
        if ((actions & (VrrpActions.Announce | VrrpActions.TakeAddresses)) == (VrrpActions.Announce | VrrpActions.TakeAddresses))
            _announcer.Announce(now);
        else if ((actions & VrrpActions.Announce) != 0)
            _announcer.Again(now);
    }

    private void Publish(TimeSpan now)
    {
        RoleChange change = new(Configured.Name, Role, Judge.Role, Judge.Reason, _loop.Time.GetUtcNow())
        {
            Priority = Judge.Priority,
            Heard = _heard,
            HeardPriority = _heardPriority,
            HeardAgo = now - new TimeSpan(_heardAt),
            Detail = Judge.Reason == TransitionReason.Tracked ? InterfaceTrouble ?? Unwell() : null,
        };
        History.Add(change);
        _loop.RoleChanged();
        _loop.Say(new RoleChanged(change));
    }

    // Of weight 0: those that hold the instance back altogether.
    private string? Unwell() => Enumerable.Range(0, _tracked.Length).Where(i => Configured.Track[i].Weight == 0 && _tracked[i] is not { IsWell: true })
        .Select(i => $"{TrackedState.NameOf(Configured.Track[i])}: {(_tracked[i] ?? TrackedState.Unknown).Why}").FirstOrDefault();

    private void RefreshGate(Gate gate, TimeSpan now)
    {
        bool stood = _gateStands;
        gate.Refresh(now);
        if (!stood || gate.Error != Errno.NoEntry)
            return;
        _gateStands = false; // once: where it cannot be made, that was said
        Complain(["somebody removed the nftables rules of its gate (a reload of nftables flushes all); they are made again"]);
        _ = Task.Run(() => SetUpAsync(gate));
    }

    private async Task SetUpAsync(Gate gate)
    {
        if (await gate.SetUpAsync(_loop.Time, CancellationToken.None) is { } problem)
            Complain([problem]);
        else
            _gateStands = true;
    }

    private void LookForOthers(ConflictProbe probe, TimeSpan now)
    {
        ConflictNews news = probe.Hear(now) | probe.Tick(now);
        if ((news & ConflictNews.Defend) != 0)
            _announcer.Again(now);
        if ((news & ConflictNews.Changed) == 0)
            return;
        Conflicts = [.. probe.Holders.Select(other => $"{other.Address} is also held by {Words(other.Mac)}, which is not this machine: give one of the two another address")];
        Complain(Conflicts.Count > 0 ? [.. Conflicts] : ["nobody else has its addresses any more"]);
    }

    private static string Words(PhysicalAddress mac) => string.Join(':', mac.GetAddressBytes().Select(each => each.ToString("x2", CultureInfo.InvariantCulture)));

    private void Complain(ImmutableArray<string> problems)
    {
        foreach (string problem in problems)
            _loop.Say(new AddressTrouble(Configured.Name, problem));
    }
}
