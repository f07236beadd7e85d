using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Bascule.Core.Model;

namespace Bascule.Core.States;

/// <summary>
/// What operators want of real servers and virtual servers, and what comes of it together with the file. Whoever said something last counts: a command goes
/// before the file until the file says something else than it did. For any thread.
/// </summary>
public sealed class StateBook(SnapshotHolder snapshots, TimeProvider time)
{
    /// <summary>Orders that are kept at most: a peer cannot fill the memory. Eight for each real server of the largest file would be less.</summary>
    public const int Most = 100_000;

    /// <summary>Orders that wait to be told to a peer at most; beyond it the peer is told everything.</summary>
    private const int MostWaiting = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<StateOrder> _said = new();
    private bool _hasLost;
    private ImmutableDictionary<StateTarget, StateOrder> _orders = ImmutableDictionary<StateTarget, StateOrder>.Empty;

    /// <summary>All that was said, also what no longer counts.</summary>
    public IReadOnlyCollection<StateOrder> Orders => [.. Volatile.Read(ref _orders).Values];

    /// <summary>The order about this that counts; null when the file does.</summary>
    public StateOrder? Of(StateTarget target) =>
        Volatile.Read(ref _orders).GetValueOrDefault(target) is { IsSpent: false, Over: not null } order ? order : null;

    /// <summary>Takes what was kept from before a restart; what it is about and is not in the configuration any more is forgotten.</summary>
    /// <returns>Whether something was forgotten, or came to its end by what the file says now: then the orders are to be kept anew.</returns>
    public bool Load(IReadOnlyCollection<StateOrder> orders)
    {
        lock (_lock)
        {
            Dictionary<StateTarget, AdministrativeState> configured = ConfiguredIn(snapshots.Current);
            ImmutableDictionary<StateTarget, StateOrder> known =
                orders.Where(o => configured.ContainsKey(o.Target)).GroupBy(o => o.Target).Take(Most).ToImmutableDictionary(g => g.Key, g => g.MaxBy(o => o.Number)!);
            Set(known);
            PutInForce(snapshots.Current);
            return known.Count != orders.Count || !ReferenceEquals(known, _orders);
        }
    }

    /// <summary>Publishes a snapshot with the states it is to have: nobody is sent to a real server that is new and drained.</summary>
    /// <returns>Whether an order came to its end by what the new file says.</returns>
    public bool Publish(Snapshot next)
    {
        lock (_lock)
        {
            ImmutableDictionary<StateTarget, StateOrder> before = _orders;
            if (!before.IsEmpty)
            {
                Dictionary<StateTarget, AdministrativeState> configured = ConfiguredIn(next);
                // What is not known because only a peer has it yet, stays.
                Set(before.RemoveRange(ConfiguredIn(snapshots.Current).Keys.Where(target => !configured.ContainsKey(target))));
            }

            PutInForce(next);
            snapshots.Publish(next);
            return !ReferenceEquals(before, _orders);
        }
    }

    /// <summary>An operator says what is wanted.</summary>
    /// <param name="target">In the current snapshot.</param>
    /// <returns>The order, and the state that counted before.</returns>
    public (StateOrder Order, AdministrativeState Before) Say(StateTarget target, AdministrativeState state, string by, string why)
    {
        lock (_lock)
        {
            StateOrder? last = _orders.GetValueOrDefault(target);
            DateTimeOffset now = time.GetUtcNow();
            VirtualServer? virtualServer = snapshots.Current.VirtualServers.FirstOrDefault(v => v.Configured.Name == target.VirtualServer)?.Configured;
            AdministrativeState over = (target.RealServer is null ? virtualServer?.State : virtualServer?.RealServers.FirstOrDefault(r => r.Address.Equals(target.RealServer))?.State)
                ?? AdministrativeState.Enabled;
            StateOrder order = new()
            {
                Target = target,
                State = state,
                By = Cut(by),
                At = now,
                Why = Cut(why),
                Number = long.Max(now.UtcTicks, (last?.Number ?? 0) + 1),
                Over = over,
            };
            AdministrativeState before = Of(target)?.State ?? over;
            Set(_orders.SetItem(target, order));
            PutInForce(snapshots.Current, target.VirtualServer);
            if (_said.Count < MostWaiting)
                _said.Enqueue(order);
            else
                _hasLost = true;
            return (order, before);
        }
    }

    /// <summary>The next order that was said here and that nobody has taken yet.</summary>
    public bool TryTakeSaid([NotNullWhen(true)] out StateOrder? order)
    {
        lock (_lock)
            return _said.TryDequeue(out order);
    }

    /// <summary>Whether more was said than could wait, since the last call.</summary>
    public bool TakeLoss()
    {
        lock (_lock)
            return Interlocked.Exchange(ref _hasLost, false);
    }

    /// <summary>Takes what was said on another director.</summary>
    /// <returns>Whether it was news here.</returns>
    public bool Learn(StateOrder order)
    {
        lock (_lock)
        {
            if (!IsSane(order))
                return false;
            if (_orders.GetValueOrDefault(order.Target) is { } known ? !order.IsLaterThan(known) : _orders.Count >= Most)
                return false;
            Set(_orders.SetItem(order.Target, order with { Over = null }));
            PutInForce(snapshots.Current, order.Target.VirtualServer);
            return true;
        }
    }

    // A number near the end would leave no room for later orders.
    private static bool IsSane(StateOrder order) => order.Number is >= 0 and < long.MaxValue / 2
        && order.Target.VirtualServer.Length is > 0 and <= 64 && order.By == Cut(order.By) && order.Why == Cut(order.Why);

    private void Set(ImmutableDictionary<StateTarget, StateOrder> orders) => Volatile.Write(ref _orders, orders);

    /// <param name="name">Of the only virtual server that is concerned; null: all.</param>
    private void PutInForce(Snapshot snapshot, string? name = null)
    {
        foreach (LiveVirtualServer virtualServer in snapshot.VirtualServers.Where(v => name is null || v.Configured.Name == name))
        {
            VirtualServer configured = virtualServer.Configured;
            AdministrativeState whole = StateOf(new(configured.Name, null), configured.State);
            foreach ((LiveRealServer live, RealServer realServer) in virtualServer.RealServers.Zip(configured.RealServers))
            {
                AdministrativeState wanted = AdministrativeStates.StricterOf(whole, StateOf(new(configured.Name, realServer.Address), realServer.State));
                if (live.State != wanted)
                    live.State = wanted;
            }
        }
    }

    private AdministrativeState StateOf(StateTarget target, AdministrativeState configured)
    {
        if (!_orders.TryGetValue(target, out StateOrder? order) || order.IsSpent)
            return configured;
        if (order.Over == configured)
            return order.State;
        // A peer's order counts from when the file here knows what it is about; ours until the file says something else.
        Set(_orders.SetItem(target, order.Over is null ? order with { Over = configured } : order with { IsSpent = true }));
        return order.Over is null ? order.State : configured;
    }

    private static Dictionary<StateTarget, AdministrativeState> ConfiguredIn(Snapshot snapshot)
    {
        Dictionary<StateTarget, AdministrativeState> states = [];
        foreach (VirtualServer virtualServer in snapshot.VirtualServers.Select(v => v.Configured))
        {
            states[new(virtualServer.Name, null)] = virtualServer.State;
            foreach (RealServer realServer in virtualServer.RealServers)
                states[new(virtualServer.Name, realServer.Address)] = realServer.State;
        }

        return states;
    }

    /// <summary>What somebody wrote, fit for a line of the log: without control characters, and at most <see cref="StateOrder.LongestText"/> of the others.</summary>
    public static string Cut(string text)
    {
        string line = string.Concat(text.Where(c => !char.IsControl(c)));
        return line.Length <= StateOrder.LongestText ? line : line[..StateOrder.LongestText];
    }
}
