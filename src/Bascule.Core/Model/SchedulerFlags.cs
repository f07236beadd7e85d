namespace Bascule.Core.Model;

/// <summary>What can be said about a scheduler beside its name. IPVS's names and defaults.</summary>
public sealed record SchedulerFlags
{
    /// <summary>Nothing said.</summary>
    public static SchedulerFlags None { get; } = new();

    /// <summary><c>sh</c>, <c>mh</c>: a client whose slot's real server cannot be used is given another (sh-fallback, mh-fallback).</summary>
    public bool Fallback { get; init; }

    /// <summary><c>sh</c>, <c>mh</c>: the client's port is hashed too (sh-port, mh-port).</summary>
    public bool Port { get; init; }

    /// <summary><c>hash</c>: what it goes by; null for every other scheduler.</summary>
    public HashBy? Hash { get; init; }

    /// <summary>
    /// <c>mh</c>, <c>hash</c>: slots of its table, one of IPVS's primes from 251 to 131071 (<see cref="Scheduling.HashTable.Sizes"/>); null: as many as suit
    /// the number of real servers (<see cref="Scheduling.HashTable.SizeFor"/>), at least IPVS's 4093.
    /// </summary>
    public int? TableSize { get; init; }
}
