namespace Bascule.Core.Model;

/// <summary>Does it accept a connection?</summary>
public sealed record TcpCheck : Check
{
    /// <inheritdoc/>
    public override string Words => "tcp";
}
