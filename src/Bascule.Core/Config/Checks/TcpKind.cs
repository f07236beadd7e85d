using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does it accept a connection?</summary>
internal static class TcpKind
{
    public static readonly CheckKind Kind = new("tcp", "Does it accept a connection?", "connect", "tcp-check")
    {
        TakesProxyHeader = true,
        Meant = _ => new TcpCheck(),
    };
}
