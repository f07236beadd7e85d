namespace Bascule.Core.Model;

/// <summary>Nothing is asked: it counts as up. Only within <see cref="AllCheck"/> and <see cref="AnyCheck"/>, and of a real server whose virtual server's check is not to hold for it.</summary>
public sealed record OnCheck : Check
{
    /// <inheritdoc/>
    public override string Words => "on";
}

/// <summary>Nothing is asked: it counts as down.</summary>
public sealed record OffCheck : Check
{
    /// <inheritdoc/>
    public override string Words => "off";
}
