using Bascule.Core.Roles;

namespace Bascule.Vrrp;

/// <summary>One change of role.</summary>
/// <param name="At">Since the machine's start.</param>
/// <param name="From">Before.</param>
/// <param name="To">After.</param>
/// <param name="Reason">Why.</param>
public readonly record struct Transition(TimeSpan At, Role From, Role To, TransitionReason Reason);

/// <summary>The last ten changes of role, in a ring.</summary>
internal sealed class Transitions
{
    private const int Kept = 10;
    private readonly Transition[] _ring = new Transition[Kept];
    private long _recorded;

    /// <summary>How many are kept: up to ten.</summary>
    public int Count => (int)long.Min(_recorded, Kept);

    /// <summary>Copies them, the latest first.</summary>
    /// <returns>How many.</returns>
    public int CopyTo(Span<Transition> latestFirst)
    {
        int count = int.Min(Count, latestFirst.Length);
        for (int i = 0; i < count; i++)
            latestFirst[i] = _ring[(_recorded - 1 - i) % Kept];
        return count;
    }

    public void Add(in Transition transition) => _ring[_recorded++ % Kept] = transition;
}
