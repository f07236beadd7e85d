using System.Collections.Frozen;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Roles;

/// <summary>Which virtual addresses are ours at one moment. Immutable.</summary>
public sealed class RoleSet
{
    private readonly FrozenDictionary<IPAddress, HaInstance> _elsewhere;

    /// <param name="version">One more than of the set before it.</param>
    /// <param name="elsewhere">The instances that this director is not Active for.</param>
    public RoleSet(long version, IEnumerable<HaInstance> elsewhere)
    {
        Version = version;
        _elsewhere = elsewhere.SelectMany(i => i.Addresses.Select(a => (a.Address, i))).DistinctBy(pair => pair.Address)
            .ToFrozenDictionary(pair => pair.Address, pair => pair.i);
    }

    /// <summary>Without <c>ha</c>: every address is ours.</summary>
    public static RoleSet Alone { get; } = new(0, []);

    /// <summary>The same, but these instances count as ours.</summary>
    public RoleSet ServingToo(IEnumerable<HaInstance> instances)
    {
        HashSet<string> ours = [.. instances.Select(i => i.Name)];
        return ours.Count == 0 ? this : new(Version, _elsewhere.Values.Distinct().Where(i => !ours.Contains(i.Name)));
    }

    /// <summary>0 for the first, one more for each that followed.</summary>
    public long Version { get; }

    /// <summary>Whether what is sent to this address is ours to answer. True for addresses that no instance has.</summary>
    public bool Serves(IPAddress address) => !_elsewhere.ContainsKey(address);

    /// <summary>Whether the proxy listens on this address and the datapath takes packets to it: where it serves, and where <see cref="ListenWhen.Always"/> is said.</summary>
    public bool Listens(IPAddress address) => !_elsewhere.TryGetValue(address, out HaInstance? instance) || instance.Listen == ListenWhen.Always;
}

/// <summary>Where the failover engine publishes which addresses are ours. One writer; readers never wait.</summary>
public sealed class RoleBoard(RoleSet first)
{
    private RoleSet _current = first;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Read it once per decision and keep it.</summary>
    public RoleSet Current => Volatile.Read(ref _current);

    /// <summary>Makes it the truth, and wakes who waits. Never blocks.</summary>
    public void Publish(RoleSet next)
    {
        Volatile.Write(ref _current, next);
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>Completes with the current set as soon as that is another than <paramref name="seen"/>.</summary>
    public async Task<RoleSet> AfterAsync(RoleSet seen, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed = Volatile.Read(ref _changed).Task; // before the look, so that a change in between is not missed
            if (Current.Version != seen.Version)
                return Current;
            await changed.WaitAsync(cancellation);
        }
    }
}
