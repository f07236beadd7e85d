using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>Watches who can serve one virtual server: quorum, fallback servers, panic.</summary>
internal sealed class StandingWatch
{
    private bool? _hasQuorum;
    private Serving? _told;

    /// <summary>Whether there is a quorum after this sum of live weights, as keepalived reckons it.</summary>
    /// <param name="had">Null: not known yet; then there is no hysteresis.</param>
    public static bool HasQuorum(bool? had, int liveWeight, QuorumRule rule) => had switch
    {
        true => liveWeight >= rule.Up - rule.Hysteresis,
        false => liveWeight >= rule.Up + rule.Hysteresis,
        null => liveWeight >= rule.Up,
    };

    /// <summary>Who serves.</summary>
    /// <param name="mainCan">Some real server is up, with a weight above 0.</param>
    /// <param name="fallbackCan">Some fallback server is.</param>
    /// <param name="isHeldBack">There is no quorum, and somebody else to serve.</param>
    /// <param name="canOpen">Somebody is not well whom nobody has drained or put into maintenance: only for him there is anything to open.</param>
    public static Serving Who(bool mainCan, bool fallbackCan, bool isHeldBack, bool hasSorryServer, bool canOpen, Panic panic)
    {
        if (mainCan && !isHeldBack)
            return Serving.Main;
        if (fallbackCan)
            return Serving.Fallback;
        return panic switch
        {
            Panic.Open when !mainCan && canOpen => Serving.Everybody,
            Panic.Open or Panic.Sorry => hasSorryServer ? Serving.Sorry : Serving.Nobody,
            Panic.Refuse => mainCan && hasSorryServer ? Serving.Sorry : Serving.Nobody, // without a quorum somebody is there, who is only held back
        };
    }

    /// <summary>Looks, and puts what follows into the live objects.</summary>
    /// <param name="changes">Takes what has changed.</param>
    public void Turn(LiveVirtualServer virtualServer, DateTimeOffset now, List<WeightChange> changes)
    {
        VirtualServer configured = virtualServer.Configured;
        int weight = 0;
        bool fallbackCan = false;
        bool canOpen = false;
        bool isKnown = true;
        foreach (LiveRealServer live in virtualServer.RealServers)
        {
            int own = live.IsWell ? live.WholeWeight : 0;
            canOpen |= !live.IsWell && live.WholeWeight > 0;
            weight += live.IsFallback ? 0 : own;
            fallbackCan |= live.IsFallback && own > 0;
            isKnown &= live.Health is not { Last: null, IsUp: false };
        }

        bool mainCan = weight > 0;
        bool? before = _hasQuorum;
        _hasQuorum = configured.Quorum is { } rule ? isKnown || before is not null ? HasQuorum(before, weight, rule) : null : null;
        bool isHeldBack = _hasQuorum == false && (fallbackCan || virtualServer.SorryServer is not null);
        Serving serving = Who(mainCan, fallbackCan, isHeldBack, virtualServer.SorryServer is not null, canOpen, configured.Panic);

        foreach (LiveRealServer live in virtualServer.RealServers)
        {
            live.IsStandby = live.IsFallback ? serving == Serving.Main : isHeldBack;
            live.IsOpened = serving == Serving.Everybody;
        }

        ServingState known = virtualServer.Standing;
        if (known.Serving != serving || known.LiveWeight != weight || known.HasQuorum != _hasQuorum)
            virtualServer.Standing = new(serving, weight, _hasQuorum);
        if (isKnown || _told is not null)
            Note(virtualServer, before, serving, weight, now, changes);
    }

    private void Note(LiveVirtualServer virtualServer, bool? before, Serving serving, int weight, DateTimeOffset now, List<WeightChange> changes)
    {
        if (_hasQuorum is { } has && has != before)
            changes.Add(new(virtualServer, null, has ? WeightChangeKind.QuorumGained : WeightChangeKind.QuorumLost, Sentence(virtualServer.Configured.Quorum!, weight), now));
        if (serving != (_told ?? Serving.Main))
            changes.Add(new(virtualServer, null, WeightChangeKind.ServingChanged, WordOf(serving), now));
        _told = serving;
    }

    private static string Sentence(QuorumRule rule, int weight) =>
        $"live weights add up to {weight}, the quorum is {rule.Up}{(rule.Hysteresis > 0 ? $" with a hysteresis of {rule.Hysteresis}" : "")}";

    private static string WordOf(Serving serving) => serving switch
    {
        Serving.Main => "its real servers",
        Serving.Fallback => "its fallback servers",
        Serving.Everybody => "all real servers, though they seem to be down",
        Serving.Sorry => "its sorry server",
        Serving.Nobody => "nobody",
    };
}
