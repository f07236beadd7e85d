using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// What <c>lblc</c> and <c>lblcr</c> have in common: they remember who served an address that clients ask for, so that it stays in the caches of few.
/// </summary>
/// <remarks>
/// They remember 16,384 addresses (IPVS's max_size); beyond that the one asked for the longest time ago in its bucket is forgotten, and any
/// that nobody asked for in 24 hours (IPVS: lblc_expiration; the six minutes after which it may sweep a full table have no part here).
/// </remarks>
public abstract class Locality(ImmutableArray<LiveRealServer> realServers, TimeProvider time) : Scheduler(realServers)
{
    internal const int Capacity = 16_384;

    /// <summary>After which what was not used is forgotten, and a set that did not change shrinks.</summary>
    internal const long Expiration = 24 * TimeSpan.TicksPerHour; // IPVS: lblc_expiration, lblcr_expiration 86400 s

    private readonly WeightedLeastConnection _leastLoaded = new(realServers);

    /// <inheritdoc/>
    public sealed override bool GoesByDestination => true;

    /// <summary>On a clock that only goes forward, in ticks of 100 ns: so fine that hardly two uses are at the same time.</summary>
    private protected long Now => time.GetElapsedTime(0).Ticks;

    private protected static AddressKey DestinationOf(in ClientAddress client) => new(client.DestinationHigh, client.DestinationLow, client.IsIpv4);

    /// <summary>As <c>wlc</c> would.</summary>
    private protected int LeastLoaded(in ClientAddress client, in TriedServers tried, Random random) => _leastLoaded.Pick(client, tried, random);

    /// <summary>More active connections than its weight, while another has fewer than half of its own.</summary>
    private protected bool IsOverloaded(int index)
    {
        if (RealServers[index].ActiveConnections <= RealServers[index].Weight)
            return false;
        foreach (LiveRealServer other in RealServers)
        {
            if (other.TakesConnections && other.ActiveConnections * 2L < other.Weight)
                return true;
        }

        return false;
    }
}

/// <summary>
/// <c>lblc</c>: locality-based least connection. The real server that served the address asked for before, if it can be used and is not
/// overloaded (active &gt; weight while another has 2 × active &lt; weight); else as <c>wlc</c>, which is then remembered.
/// </summary>
public sealed class LocalityLeastConnection(ImmutableArray<LiveRealServer> realServers, TimeProvider time) : Locality(realServers, time)
{
    private readonly AddressTable<int> _served = new(Capacity);

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        AddressKey asked = DestinationOf(client);
        long now = Now;
        AddressEntry<int>? known = _served.Find(asked, now, Expiration);
        if (known is not null)
        {
            known.Touch(now);
            if (IsUsable(known.Value, tried) && !IsOverloaded(known.Value))
                return known.Value;
        }

        int chosen = LeastLoaded(client, tried, random);
        if (chosen != None)
            _served.TryPut(asked, chosen, known, now, Expiration);
        return chosen;
    }
}

/// <summary>
/// <c>lblcr</c>: as <c>lblc</c>, but an address asked for has a set of real servers, of which the one with the least overhead for its weight serves. When
/// that is overloaded (or none of the set can be used), the choice of <c>wlc</c> joins the set. A set of several that has not changed for 24 hours
/// loses the one with the most overhead for its weight.
/// </summary>
/// <remarks>IPVS's sets are unbounded; these hold eight. A ninth serves without joining, so a very busy address is then shared out as by <c>wlc</c>.</remarks>
public sealed class LocalityLeastConnectionReplicated(ImmutableArray<LiveRealServer> realServers, TimeProvider time) : Locality(realServers, time)
{
    private readonly AddressTable<ServerSet> _served = new(Capacity);

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        AddressKey asked = DestinationOf(client);
        long now = Now;
        AddressEntry<ServerSet>? known = _served.Find(asked, now, Expiration);
        ServerSet set = default;
        bool changed = false;
        if (known is not null)
        {
            known.Touch(now);
            set = known.Value;
            int least = LeastOf(set, tried);
            changed = set.Count > 1 && now - set.ChangedAt > Expiration;
            if (changed)
                set.RemoveAt(MostOf(set), now);
            if (least != None && !IsOverloaded(least))
            {
                if (changed)
                    _served.TryPut(asked, set, known, now, Expiration);
                return least;
            }
        }

        int chosen = LeastLoaded(client, tried, random);
        if (chosen == None)
            return None;
        changed |= set.Add(chosen, now);
        if (changed)
            _served.TryPut(asked, set, known, now, Expiration);
        return chosen;
    }

    private int LeastOf(in ServerSet set, in TriedServers tried)
    {
        int least = None;
        for (int i = 0; i < set.Count; i++)
        {
            if (IsUsable(set[i], tried) && (least == None || IsLessLoaded(set[i], least)))
                least = set[i];
        }

        return least;
    }

    /// <summary>Its place in the set; the first to join among equals.</summary>
    private int MostOf(in ServerSet set)
    {
        int most = 0;
        for (int i = 1; i < set.Count; i++)
        {
            if (IsLessLoaded(set[most], set[i]))
                most = i;
        }

        return most;
    }

    private bool IsLessLoaded(int one, int other) =>
        RealServers[one].Overhead * RealServers[other].Weight < RealServers[other].Overhead * RealServers[one].Weight;

    /// <summary>Up to eight real servers, in the order in which they joined.</summary>
    private struct ServerSet
    {
        private const int Most = 8;
        private Members _members;

        public int Count { get; private set; }

        public long ChangedAt { get; private set; }

        public readonly int this[int place] => _members[place];

        /// <returns>Whether it joined; not when it was there, or the set is full.</returns>
        public bool Add(int index, long now)
        {
            if (Count == Most || ((ReadOnlySpan<int>)_members)[..Count].Contains(index))
                return false;
            _members[Count++] = index;
            ChangedAt = now;
            return true;
        }

        public void RemoveAt(int place, long now)
        {
            Span<int> members = _members;
            members[(place + 1)..Count].CopyTo(members[place..]);
            Count--;
            ChangedAt = now;
        }

        [InlineArray(Most)]
        private struct Members
        {
            private int _first;
        }
    }
}
