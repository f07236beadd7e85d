namespace Bascule.Core.Model;

/// <summary>The schedulers there are, by the names of IPVS.</summary>
public enum SchedulerKind
{
    /// <summary><c>rr</c>: each in turn.</summary>
    RoundRobin,

    /// <summary><c>wrr</c>: each in turn, in proportion to its weight.</summary>
    WeightedRoundRobin,

    /// <summary><c>lc</c>: the fewest connections.</summary>
    LeastConnection,

    /// <summary><c>wlc</c>: the fewest connections for its weight.</summary>
    WeightedLeastConnection,

    /// <summary><c>sed</c>: shortest expected delay.</summary>
    ShortestExpectedDelay,

    /// <summary><c>nq</c>: an idle one, else shortest expected delay.</summary>
    NeverQueue,

    /// <summary><c>random</c>: by chance, in proportion to its weight.</summary>
    Random,

    /// <summary><c>twos</c>: the less busy of two taken by chance.</summary>
    PowerOfTwoChoices,

    /// <summary><c>sh</c>: by the client's address.</summary>
    SourceHash,

    /// <summary><c>mh</c>: by the client's address, with few clients moved when real servers come and go.</summary>
    MaglevHash,

    /// <summary><c>dh</c>: by the address the client asked for.</summary>
    DestinationHash,

    /// <summary><c>fo</c>: the highest weight; the others wait for it to fail.</summary>
    FailOver,

    /// <summary><c>ovf</c>: the highest weight until it has that many connections, then the next.</summary>
    Overflow,

    /// <summary><c>lblc</c>: the same address asked for, the same real server, unless that is overloaded. For caches.</summary>
    LocalityLeastConnection,

    /// <summary><c>lblcr</c>: as <c>lblc</c>, with a set of real servers for each address asked for.</summary>
    LocalityLeastConnectionReplicated,

    /// <summary><c>least-time</c>: the shortest wait to be expected, by how fast each has answered. Only on the proxy.</summary>
    LeastTime,

    /// <summary><c>hash</c>: by a part of the HTTP request, with a bound on how much more than others one may have. Only on the proxy.</summary>
    RequestHash,
}
