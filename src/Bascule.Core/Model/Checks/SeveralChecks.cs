namespace Bascule.Core.Model;

/// <summary>Do all of these pass? They are asked at the same time, in the time of the whole.</summary>
public sealed record AllCheck(ValueList<Check> Parts) : Check
{
    /// <inheritdoc/>
    public override string Words => $"all of [{string.Join(", ", Parts.Select(part => part.Words))}]";
}

/// <summary>Does one of these pass? They are asked at the same time, in the time of the whole.</summary>
public sealed record AnyCheck(ValueList<Check> Parts) : Check
{
    /// <inheritdoc/>
    public override string Words => $"any of [{string.Join(", ", Parts.Select(part => part.Words))}]";
}
