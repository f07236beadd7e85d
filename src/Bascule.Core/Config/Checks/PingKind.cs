using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does its machine answer an echo request?</summary>
internal static class PingKind
{
    public static readonly CheckKind Kind = new("ping", "Does its machine answer an ICMP echo request? It says nothing about the service.", "icmp", "ping_check")
    {
        Meant = _ => new PingCheck(),
        AsksAtPort = false,
    };
}
