namespace Bascule.Core.Model;

/// <summary>Does its machine answer an echo request? RFC 792, RFC 4443 §4.1.</summary>
public sealed record PingCheck : Check
{
    /// <inheritdoc/>
    public override string Words => "ping";
}
