namespace Bascule.Core.Model;

/// <summary>Do all of these pass? They are asked at the same time, in the time of the whole.</summary>
public sealed record AllCheck(ValueList<Check> Parts) : Check
{
    /// <inheritdoc/>
    public override string Words => $"all of [{string.Join(", ", Parts.Select(part => part.Words))}]";

    /// <inheritdoc/>
    public override IEnumerable<Check> Questions() => Parts.SelectMany(part => part.Questions());
}

/// <summary>Does one of these pass? They are asked at the same time, in the time of the whole.</summary>
public sealed record AnyCheck(ValueList<Check> Parts) : Check
{
    /// <inheritdoc/>
    public override string Words => $"any of [{string.Join(", ", Parts.Select(part => part.Words))}]";

    /// <inheritdoc/>
    public override IEnumerable<Check> Questions() => Parts.SelectMany(part => part.Questions());
}

/// <summary>Looks into checks.</summary>
public static class CheckParts
{
    /// <summary>This check, or, of one that consists of others, each of those.</summary>
    public static IEnumerable<Check> Of(Check check) => check switch
    {
        AllCheck all => all.Parts.SelectMany(Of),
        AnyCheck any => any.Parts.SelectMany(Of),
        _ => [check],
    };

    /// <summary>All that are asked, each as often as it is written.</summary>
    public static IEnumerable<Check> Of(Configuration configuration) =>
        configuration.VirtualServers.SelectMany(v => v.RealServers.Select(r => r.Check).Append(v.Check)).OfType<Check>().SelectMany(Of);
}
