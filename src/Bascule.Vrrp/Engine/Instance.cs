using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Engine;

/// <summary>
/// One virtual router of this director: hears for it, asks <see cref="Router"/>, and does what that says, in the order of
/// <see cref="VrrpActions"/>. Failover thread only, but for what is marked.
/// </summary>
internal sealed class Instance
{
    private const int TransitionsKept = 10;
    private const int LeastTimeToLive = 255; // RFC 9568 §5.1.1.3

    private readonly VrrpLink _link;
    private readonly FailoverLoop _loop;
    private readonly Router _router;
    private readonly PlainAddresses _addresses;
    private readonly SenderBook _senders = new();
    private readonly IPAddress[] _advertised;
    private readonly Destination[] _destinations;
    private readonly byte[] _password;
    private readonly byte[] _message = new byte[AdvertisementCodec.MaxLength];
    private readonly Transition?[] _transitions = new Transition?[TransitionsKept];
    private Transition _latest;
    private int _changes;
    private IPAddress? _source;
    private NativeAddress _nativeSource;
    private IPAddress? _heard;
    private byte _heardPriority;
    private long _heardAt;
    private string? _notStarted;

    public Instance(HaInstance configured, VrrpLink link, Network network, FailoverLoop loop)
    {
        (Configured, _link, _loop) = (configured, link, loop);
        _router = new(VirtualRouterOf(configured), configured.Priority);
        _addresses = new(configured, network);
        _advertised = [.. configured.Addresses.Where(a => !a.IsExcluded).Select(a => a.Address)];
        _destinations = [.. (configured.Unicast.Count > 0 ? configured.Unicast : [VrrpLink.GroupOf(link.Family)]).Select(Destination.To)];
        _password = configured.Authentication is PasswordAuthentication { Password: var password } ? Encoding.UTF8.GetBytes(password) : [];
        _latest = new(configured.Name, Role.Initialize, Role.Initialize, TransitionReason.None, loop.Time.GetUtcNow());
    }

    public HaInstance Configured { get; }

    /// <summary>Any thread may read them.</summary>
    public InstanceCounters Counters { get; } = new();

    /// <summary>Now. Any thread.</summary>
    public Role Role => Latest.To;

    /// <summary>With what is tracked taken into account. Any thread.</summary>
    public byte Priority => _router.Priority;

    /// <summary>The last change of role. Any thread.</summary>
    public Transition Latest => Volatile.Read(ref _latest);

    /// <summary>When <see cref="Tick"/> must be called.</summary>
    public TimeSpan Due => _router.Due;

    /// <summary>The last changes, the latest first. Any thread.</summary>
    public IEnumerable<Transition> Transitions()
    {
        int changes = Volatile.Read(ref _changes);
        for (int i = 1; i <= int.Min(changes, TransitionsKept); i++)
            yield return Volatile.Read(ref _transitions[(changes - i) % TransitionsKept])!;
    }

    /// <summary>Whose advertisement came last, and when; null: nobody's yet. Any thread; the three may be of two that followed each other.</summary>
    public (IPAddress Address, byte Priority, TimeSpan At)? Heard =>
        Volatile.Read(ref _heard) is { } heard ? (heard, Volatile.Read(ref _heardPriority), new TimeSpan(Volatile.Read(ref _heardAt))) : null;

    /// <summary>The interface may have come, gone or changed: starts, or stops, as it allows.</summary>
    public void LookAgain(TimeSpan now)
    {
        IPAddress? source = _link.AddressFor(this);
        if (source is not null && !source.Equals(_source))
            (_source, _nativeSource) = (source, NativeAddress.From(new(source, 0)));
        string? whyNot = _link.WhyNot
            ?? (source is null ? $"interface {_link.Name} has no {(_link.Family == AddressFamily.InterNetwork ? "IPv4" : "IPv6 link-local")} address to speak from" : null);
        if (whyNot is null && Role == Role.Initialize)
        {
            _addresses.Clean(_link.Index);
            _notStarted = null;
            Do(_router.Start(now), now);
        }
        else if (whyNot is not null && Role != Role.Initialize)
            Do(_router.Stop(now, TransitionReason.Tracked), now, whyNot);
        else if (whyNot is not null && _notStarted != whyNot)
            _loop.Say(new NotStarted(Configured.Name, _notStarted = whyNot));
    }

    /// <summary>A packet of our virtual router's id.</summary>
    public void Receive(in ReceivedPacket packet, ReadOnlySpan<byte> message, TimeSpan now)
    {
        if (_source is null)
            return;
        IPAddress from = _senders.Find(packet.Source);
        IPAddress to = _loop.Destinations.Find(packet.Destination);
        DecodeError error = Judge(packet, message, from, to, out Advertisement advertisement, out ChecksumForm form);
        if (error != DecodeError.None)
        {
            Counters.Reject(error);
            return;
        }

        Count(message, advertisement, form);
        Volatile.Write(ref _heardPriority, advertisement.Priority);
        Volatile.Write(ref _heardAt, now.Ticks);
        Volatile.Write(ref _heard, from);
        Do(_router.Hear(advertisement, packet.Source.AddressBytes.SequenceCompareTo(_nativeSource.AddressBytes), now), now);
    }

    /// <summary>What is due at this time.</summary>
    public void Tick(TimeSpan now) => Do(_router.Tick(now), now);

    /// <summary>Says goodbye and takes no part any more.</summary>
    public void Stop(TimeSpan now)
    {
        if (Role != Role.Initialize)
            Do(_router.Stop(now), now);
    }

    /// <summary>Lets another take over.</summary>
    public void HandOver(TimeSpan now) => Do(_router.HandOver(now), now);

    private DecodeError Judge(in ReceivedPacket packet, ReadOnlySpan<byte> message, IPAddress from, IPAddress to, out Advertisement advertisement, out ChecksumForm form)
    {
        advertisement = default;
        form = default;
        bool isFromPeer = Configured.Unicast.Count > 0 && IsPeer(from);
        if (Configured.Unicast.Count > 0 && !isFromPeer)
            return DecodeError.NotFromPeer;
        // A peer that was named may be behind a router; of anybody else, the full time to live proves that it is a neighbour.
        if (packet.HopLimit != LeastTimeToLive && !isFromPeer)
            return DecodeError.WrongTimeToLive;
        DecodeError error = AdvertisementCodec.TryDecode(message, Configured.Version, from, to, _password, out advertisement, out form);
        if (error != DecodeError.None)
            return error;
        return Configured.Version == VrrpVersion.V2 && advertisement.Interval != Configured.AdvertInterval && advertisement.Priority != Advertisement.Goodbye
            ? DecodeError.OtherInterval
            : DecodeError.None;
    }

    private bool IsPeer(IPAddress from)
    {
        foreach (Destination each in _destinations)
        {
            if (each.Address.Equals(from))
                return true;
        }

        return false;
    }

    private void Count(ReadOnlySpan<byte> message, in Advertisement advertisement, ChecksumForm form)
    {
        Counters.Received++;
        if (form == ChecksumForm.MessageOnly && Configured.Version == VrrpVersion.V3)
            Counters.ReceivedMessageOnly++;
        if (advertisement.Interval != Configured.AdvertInterval)
            Counters.OtherInterval++;
        if (!NamesOurAddresses(message))
            Counters.OtherAddresses++;
    }

    // In any order. RFC 9568 §7.1 lets a receiver look; who is Active does not depend on it.
    private bool NamesOurAddresses(ReadOnlySpan<byte> message)
    {
        const int HeaderLength = 8;
        int size = _link.Family == AddressFamily.InterNetwork ? 4 : 16;
        if (message[3] != _advertised.Length)
            return false;
        Span<byte> ours = stackalloc byte[16];
        foreach (IPAddress address in _advertised)
        {
            address.TryWriteBytes(ours, out _);
            bool isNamed = false;
            for (int i = 0; i < message[3] && !isNamed; i++)
                isNamed = message.Slice(HeaderLength + (i * size), size).SequenceEqual(ours[..size]);
            if (!isNamed)
                return false;
        }

        return true;
    }

    private void Do(VrrpActions actions, TimeSpan now, string? detail = null)
    {
        Role before = Role;
        bool becomesActive = before != Role.Active && _router.Role == Role.Active;
        if (becomesActive)
            Note(now, detail); // engines that serve the addresses begin while we take them
        if ((actions & VrrpActions.DropAddresses) != 0)
            _addresses.Drop(_link.Index);
        if ((actions & VrrpActions.SayGoodbye) != 0)
            Send(Advertisement.Goodbye);
        if ((actions & VrrpActions.TakeAddresses) != 0)
            Take();
        if ((actions & VrrpActions.Advertise) != 0)
            Send(_router.Priority);
        if (!becomesActive && before != _router.Role)
            Note(now, detail);
    }

    private void Take()
    {
        Counters.BecameActive++;
        Errno error = _addresses.Take(_link.Index);
        if (error != Errno.None)
            _loop.Say(new AddressesNotTaken(Configured.Name, _link.Name, error));
    }

    private void Send(byte priority)
    {
        if (_source is null)
            return;
        Advertisement advertisement = new(Configured.Version, Configured.VirtualRouterId, priority, Configured.AdvertInterval);
        foreach (Destination to in _destinations)
        {
            int length = AdvertisementCodec.Encode(advertisement, _advertised, _source, to.Address, Configured.Checksum, _password, _message);
            IoResult result = _link.Send(_message.AsSpan(0, length), to.Native, _nativeSource);
            if (result.Error == Errno.None)
                Counters.Sent++;
            else
                Counters.NotSent++;
        }
    }

    private void Note(TimeSpan now, string? detail)
    {
        Transition transition = new(Configured.Name, Role, _router.Role, _router.Reason, _loop.Time.GetUtcNow())
        {
            Priority = _router.Priority,
            Heard = _heard,
            HeardPriority = _heardPriority,
            HeardAgo = now - new TimeSpan(_heardAt),
            Detail = detail,
        };
        Volatile.Write(ref _transitions[_changes % TransitionsKept], transition);
        Volatile.Write(ref _changes, _changes + 1);
        Volatile.Write(ref _latest, transition);
        _loop.PublishRoles();
        _loop.Say(new RoleChanged(transition));
    }

    private static VirtualRouter VirtualRouterOf(HaInstance configured) => new()
    {
        Id = configured.VirtualRouterId,
        Version = configured.Version,
        Interval = configured.AdvertInterval,
        Preempts = configured.Preempts,
        PreemptDelay = configured.PreemptDelay,
        MissedAdvertisements = configured.MissedAdvertisements,
        Lease = configured.Lease ?? TimeSpan.Zero,
    };

    private readonly record struct Destination(IPAddress Address, NativeAddress Native)
    {
        public static Destination To(IPAddress address) => new(address, NativeAddress.From(new(address, 0)));
    }
}
