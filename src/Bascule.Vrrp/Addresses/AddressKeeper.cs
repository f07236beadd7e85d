using System.Collections.Immutable;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Addresses;

/// <summary>What the keeper makes of a change in the network.</summary>
internal enum AddressLoss
{
    /// <summary>Nothing of the instance's is missing.</summary>
    None,

    /// <summary>An address that is not tracked was missing, and is back.</summary>
    PutBack,

    /// <summary>Somebody else took off an address that is tracked: the instance must not stay Active.</summary>
    Lost,
}

/// <summary>
/// Puts the addresses, routes and rules of one instance on this machine and takes them off. Addresses are lent by the kernel: it takes
/// them off by itself when <see cref="Refresh"/> is not called for the length of the lease. Times are those since the machine's start.
/// One thread.
/// </summary>
/// <remarks>
/// Every method does all that it can: what fails comes back as sentences for the log, and keeps nothing else from being done. Taking,
/// dropping and refreshing allocate nothing while nothing fails.
/// </remarks>
internal sealed class AddressKeeper : IDisposable
{
    private static readonly TimeSpan LongestPace = TimeSpan.FromSeconds(1);

    private readonly HaInstance _instance;
    private readonly Network _network = new();
    private readonly VirtualMac? _virtualMac;
    private AddressPlan _plan;
    private TimeSpan _leasedAt;

    /// <summary>Changes nothing yet.</summary>
    /// <exception cref="KernelException">There is no netlink here.</exception>
    public AddressKeeper(HaInstance instance)
    {
        _instance = instance;
        _virtualMac = instance.VirtualMac ? new(instance, _network) : null;
        _plan = AddressPlan.Of(instance, [], [], null);
    }

    /// <summary>Whether it has taken the addresses and not dropped them. The kernel may have taken them off.</summary>
    public bool IsHolding { get; private set; }

    /// <summary>When <see cref="Refresh"/> must be called; <see cref="TimeSpan.MaxValue"/>: not at all.</summary>
    public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Where the addresses go. Another list once interfaces have changed.</summary>
    public IReadOnlyList<AddressPlace> Places => _plan.Places;

    /// <summary>All interfaces of this machine, as they were when the places were last looked for.</summary>
    public IReadOnlyList<NetworkLink> Links { get; private set; } = [];

    private TimeSpan Pace => _instance.Lease is { } lease ? TimeSpan.FromTicks(Math.Min(lease.Ticks / 4, LongestPace.Ticks)) : TimeSpan.MaxValue;

    /// <summary>Makes ready, and removes what a former life of this instance left. To be called before the rest, and again when its interface was made anew.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public ImmutableArray<string> Start()
    {
        ImmutableArray<string> problems = [.. _virtualMac?.Create() ?? []];
        Plan();
        IReadOnlyList<AssignedAddress> there = _network.AssignedAddresses();
        // The addresses of an owner (priority 255) are the machine's own: only those that we added are left over.
        bool isOwner = _instance.Priority == Advertisement.Owner;
        string[] left = [.. Places
            .Where(place => there.Any(other => other.Address.Equals(place.Assignment) && (!isOwner || other.Protocol == AddressPlan.Mark)))
            .Select(place => $"{place.Name} was left there and is removed")];
        return left.Length == 0 && isOwner ? problems : [.. problems, .. left, .. Drop()];
    }

    /// <summary>Puts everything in place.</summary>
    /// <returns>Sentences about what could not be, and why.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public ImmutableArray<string> Take(TimeSpan now)
    {
        IsHolding = true;
        _leasedAt = now;
        Due = _instance.Lease is null ? TimeSpan.MaxValue : now + Pace;
        return _network.Make(_plan.Take) == 0 ? [] : Failures(_plan.Take, "could not be added", IsNoFailure);
    }

    /// <summary>Takes everything away. What is gone already is no failure.</summary>
    /// <returns>Sentences about what could not be, and why.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public ImmutableArray<string> Drop()
    {
        IsHolding = false;
        Due = TimeSpan.MaxValue;
        return _network.Make(_plan.Drop) == 0 ? [] : Failures(_plan.Drop, "could not be removed", IsGone);
    }

    /// <summary>
    /// Begins the lease anew, if it has not run out: then the addresses may be elsewhere, and only <see cref="Take"/> brings them back.
    /// </summary>
    /// <returns>Whether all addresses have their lease.</returns>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public bool Refresh(TimeSpan now)
    {
        if (!IsHolding || _instance.Lease is not { } lease || now - _leasedAt >= lease)
            return false;
        Due = now + Pace;
        if (_network.Make(_plan.Refresh) != 0)
            return false;
        _leasedAt = now;
        return true;
    }

    /// <summary>Whether the kernel has the address where it belongs. Asks it, and allocates.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public bool Has(VirtualAddress address) =>
        Places.FirstOrDefault(place => place.Address == address) is { } place && _network.Addresses().Contains(place.Assignment);

    /// <summary>Something changed in the network.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public AddressLoss Hear(NetworkEvent change, TimeSpan now)
    {
        if (change.IsOverrun || (change.Link is { } link && MovesPlaces(link, change.IsGone)))
            Plan();
        if (!IsHolding || (_instance.Lease is { } lease && now - _leasedAt >= lease))
            return AddressLoss.None;
        if (change.IsRoute && change.IsGone)
            _network.Make(_plan.Ways);
        bool mayBeLost = change.IsOverrun || (change is { IsGone: true, Address: { } gone } && Places.Any(place => place.Assignment.Equals(gone)));
        return mayBeLost ? FindLoss() : AddressLoss.None;
    }

    /// <summary>Drops, and removes what <see cref="Start"/> made.</summary>
    public void Dispose()
    {
        if (IsHolding)
            Drop();
        _virtualMac?.Remove();
        _network.Dispose();
    }

    private static bool IsNoFailure(Errno error) => error == Errno.None;

    private static bool IsGone(Errno error) =>
        error is Errno.None or Errno.AddressNotAvailable or Errno.NoSuchProcess or Errno.NoEntry or Errno.NoDevice;

    private static ImmutableArray<string> Failures(NetworkChanges changes, string what, Predicate<Errno> isWell) =>
        [.. Enumerable.Range(0, changes.Count).Where(i => !isWell(changes.Error(i))).Select(i => $"{changes.Name(i)} {what}: {changes.Reason(i)}")];

    private void Plan()
    {
        Links = _network.Links();
        AssignedAddress[] others = [.. _network.AssignedAddresses().Where(other => !_instance.Addresses.Any(address => address.Address.Equals(other.Address.Address)))];
        _plan = AddressPlan.Of(_instance, Links, others, _virtualMac?.Find(Links));
    }

    // An interface that went and came back has another number; one in a bond may have another MAC.
    private bool MovesPlaces(NetworkLink link, bool isGone) => Places.Any(place =>
        (place.Holder == link.Index && (isGone || (place.Mac is { } mac && !mac.Equals(link.Mac))))
        || (place.HolderName == link.Name && !isGone && place.Holder != link.Index));

    // What was told is past: perhaps we dropped and took it again in the meantime. So the kernel is asked.
    private AddressLoss FindLoss()
    {
        IReadOnlyList<NetworkAddress> there = _network.Addresses();
        AddressPlace[] missing = [.. Places.Where(place => !there.Contains(place.Assignment))];
        if (missing.Length == 0)
            return AddressLoss.None;
        if (missing.Any(place => place.Address.IsTracked))
            return AddressLoss.Lost;
        _network.Make(_plan.Take);
        return AddressLoss.PutBack;
    }
}
