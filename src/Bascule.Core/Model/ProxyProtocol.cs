using System.Net;

namespace Bascule.Core.Model;

/// <summary>How the two sides of a connection through proxies are told to whoever stands behind them. The PROXY protocol, haproxy.org, proxy-protocol.txt.</summary>
public enum ProxyProtocolVersion
{
    /// <summary>A line of text. §2.1.</summary>
    V1,

    /// <summary>A binary header. §2.2.</summary>
    V2,
}

/// <summary>The PROXY protocol of one virtual server; on the proxy alone.</summary>
/// <param name="From">Peers whose connections must begin with a header, and are believed; of all others nothing is. Empty: nobody's.</param>
/// <param name="Send">What each connection to a real server begins with; null: no header.</param>
public sealed record ProxyProtocol(ValueList<IPNetwork> From, ProxyProtocolVersion? Send);
