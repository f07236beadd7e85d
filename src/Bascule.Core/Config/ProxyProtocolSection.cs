using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Who tells whom where a connection through proxies comes from.</summary>
internal static class ProxyProtocolSection
{
    public static readonly ImmutableArray<Choice<ProxyProtocolVersion>> Versions =
    [
        new("v1", ProxyProtocolVersion.V1, "A line of text.", "1", "send-proxy", "on"),
        new("v2", ProxyProtocolVersion.V2, "A binary header.", "2", "send-proxy-v2"),
    ];

    public static readonly Setting<ImmutableArray<IPNetwork>> From = new("from", new ListForm<IPNetwork>(
        new PrefixForm(), new("`from` lists nobody, so nobody would be believed", "list the proxies in front, such as `[10.0.0.0/8]`, or leave `from` out")))
    {
        Doc = "Peers whose connections must begin with a header, of either version, within `timeouts.request`. A connection of theirs without one, with a broken one or one of more than 107 (v1) or 4,096 (v2) bytes is closed and counted. The client that the header names is the client to everything here: schedulers, persistence, X-Forwarded-For, headers that are sent. Of anybody else a header is data like any other. TLVs are skipped; a checksum among them must fit.",
        Otherwise = "nobody's connection begins with a header",
        Source = "HAProxy: tcp-request connection expect-proxy",
        Example = "from: [10.0.0.0/8]",
        AlsoCalled = ["accept-proxy", "expect-proxy", "set_real_ip_from", "trustedIPs", "trusted"],
    };

    public static readonly Setting<ProxyProtocolVersion> Send = new("send", new ChoiceForm<ProxyProtocolVersion>(Versions))
    {
        Doc = "What each connection to a real server, a fallback server or the sorry server begins with. They must expect it. With `protocol: http` a connection to a real server then carries the requests of one client connection alone. Checks begin with one too, see `proxyProtocol` of `check`.",
        Otherwise = "no header",
        Source = "HAProxy: send-proxy is off",
        Example = "send: v2",
        AlsoCalled = ["version", "proxy_protocol", "send-proxy"],
    };

    public static readonly Section Section = new("proxyProtocol", From, Send)
    {
        Doc = "The PROXY protocol: proxies tell who the client is in a header in front of each connection. On the proxy, for tcp and http.",
        Place = "in `proxyProtocol` of a virtual server",
        Rule = (_, fields, problems) =>
        {
            if (!fields.IsWritten(From) && !fields.IsWritten(Send) && !problems.IsPartial)
                problems.Add(fields.At, "it says neither whose connections begin with a header nor that ours do", "add `from: [10.0.0.0/8]` or `send: v2`, or remove it");
        },
    };

    public static ProxyProtocol Meant(Fields fields) => new([.. fields.FindValue(From) ?? []], fields.FindValue(Send));
}
