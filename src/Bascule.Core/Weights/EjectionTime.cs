using Bascule.Core.Model;

namespace Bascule.Core.Weights;

/// <summary>How long one real server is ejected: longer each time, and less long again once it has done well for a while.</summary>
public sealed class EjectionTime
{
    private TimeSpan _wellSince;

    /// <summary>How many times the first ejection the last one was; 0: it starts anew.</summary>
    public int Times { get; private set; }

    /// <summary>It is ejected once more.</summary>
    /// <returns>For how long: so many times <see cref="PassiveCheck.Ejection"/> as it was ejected lately, at most <see cref="PassiveCheck.MaxEjection"/>.</returns>
    public TimeSpan Next(PassiveCheck rule)
    {
        TimeSpan wanted = rule.Ejection * (Times + 1);
        if (wanted > rule.MaxEjection)
            return rule.MaxEjection; // and it counts no further: it would take as long to shrink
        Times++;
        return wanted;
    }

    /// <summary>It is given work again.</summary>
    /// <param name="now">Since an arbitrary moment.</param>
    public void Readmit(TimeSpan now) => _wellSince = now;

    /// <summary>It is not ejected: each <see cref="PassiveCheck.Ejection"/> spent so takes one time off.</summary>
    public void Shrink(PassiveCheck rule, TimeSpan now)
    {
        for (; Times > 0 && now - _wellSince >= rule.Ejection; _wellSince += rule.Ejection)
            Times--;
    }
}
