using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>One question asked of a real server. What each kind of question has of its own stands with the kind, see <see cref="CheckKinds"/>.</summary>
internal static class CheckSection
{
    /// <summary>Checks within checks, the outermost counted.</summary>
    private const int Deepest = 3;

    public static readonly Setting<CheckKind> Type = new("type", new ChoiceForm<CheckKind>([.. CheckKinds.All.Select(kind => kind.Choice)]))
    {
        Doc = "The kind of question. With `on`, `off` and `none` the other settings may stay; they are not used.",
        Default = TcpKind.Kind,
        Source = "keepalived TCP_CHECK: the question every real server can answer",
        Example = "type: http",
        AlsoCalled = ["kind", "checktype"],
    };

    public static readonly Setting<int> Port = new("port", new CountForm(1, 65_535))
    {
        Doc = "Port to ask.",
        Otherwise = "the real server's own; where it keeps the client's, the first of the virtual server's",
        Source = "HAProxy, keepalived connect_port",
        Example = "port: 8081",
        AlsoCalled = ["connect_port", "checkport"],
    };

    public static readonly Setting<ProxyHeaderWord> ProxyProtocol = new("proxyProtocol", new ChoiceForm<ProxyHeaderWord>(
        new("v1", ProxyHeaderWord.V1, "PROXY UNKNOWN.", "send-proxy"),
        new("v2", ProxyHeaderWord.V2, "LOCAL.", "send-proxy-v2"),
        new("none", ProxyHeaderWord.None, "No header.", "off", "no")))
    {
        Doc = "The header of the PROXY protocol that the check begins with; it names nobody. For kinds that ask over TCP: tcp, http, https, tls, send-expect, smtp, redis, postgres, mysql, imap, pop3, ftp, ldap.",
        Otherwise = "what its virtual server sends (`proxyProtocol.send`); none where the check names a `port`",
        Source = "HAProxy check-send-proxy",
        Example = "proxyProtocol: none",
        AlsoCalled = ["check-send-proxy", "send-proxy"],
    };

    public static readonly Setting<ImmutableArray<Fields>> All = new("all", new ListForm<Fields>(
        new LaterForm(() => Section!), new("`all` is empty, so nothing would be asked", "list checks, such as `[tcp, http]`")))
    {
        Doc = "In place of `type`: several checks, asked at the same time, which must all pass. Each is a check without cadence (`interval`, `timeout`, `rise`, …): that is the whole's. At most three deep.",
        Otherwise = "one check",
        Source = "HAProxy and keepalived: every checker of a real server must pass",
        Example = "all: [tcp, { type: http, port: 8080 }]",
        AlsoCalled = ["and", "every"],
    };

    public static readonly Setting<ImmutableArray<Fields>> Any = new("any", new ListForm<Fields>(
        new LaterForm(() => Section!), new("`any` is empty, so nothing would be asked", "list checks, such as `[tcp, http]`")))
    {
        Doc = "In place of `type`: several checks, asked at the same time, of which one must pass. As `all` otherwise.",
        Otherwise = "one check",
        Source = "ours; nobody else has it",
        Example = "any: [{ type: tcp, port: 80 }, { type: tcp, port: 443 }]",
        AlsoCalled = ["or", "some"],
    };

    private static readonly ImmutableArray<Setting> OfKinds = [.. CheckKinds.All.SelectMany(kind => kind.Settings).Concat(CheckTls.Settings).Distinct()];

    public static readonly Section Section = new("check", [Type, .. CheckCadence.Settings, Port, ProxyProtocol, .. OfKinds, All, Any])
    {
        Doc = "A question asked of real servers: the word of its kind, or a map when more is to be said about it.",
        Place = "in `check`",
        Short = Type,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    /// <summary>The check; <see cref="OnCheck"/> where nothing is asked.</summary>
    /// <param name="header">What clients' connections to the real server begin with.</param>
    public static Check Meant(Fields fields, ProxyProtocolVersion? header) => Meant(fields, whole: fields, port: null, header);

    /// <summary>Whether it asks at a port that nothing in it names.</summary>
    public static bool NeedsPort(Fields fields)
    {
        if (fields.IsWritten(Port) || fields.IsBroken(Type))
            return false;
        ImmutableArray<Fields> parts = Parts(fields);
        return parts.IsEmpty ? fields.Get(Type).AsksAtPort : parts.Any(NeedsPort);
    }

    /// <summary>Complains when a setting that its kind cannot do without is missing.</summary>
    public static void Require(Setting setting, Fields fields, ProblemList problems)
    {
        if (!fields.IsWritten(setting) && !problems.IsPartial)
            problems.Add(fields.At, $"a {fields.Get(Type).Word} check needs `{setting.Name}`", $"add `{setting.Example}`");
    }

    // Parts are asked in the time of the whole, and at its port unless they name one.
    private static Check Meant(Fields fields, Fields whole, int? port, ProxyProtocolVersion? header)
    {
        int? asked = fields.FindValue(Port) ?? port;
        ProxyProtocolVersion? begin = HeaderOf(fields, header);
        Check check = fields.FindValue(All) is { } all ? new AllCheck([.. all.Select(part => Meant(part, whole, asked, begin))])
            : fields.FindValue(Any) is { } any ? new AnyCheck([.. any.Select(part => Meant(part, whole, asked, begin))])
            : Encrypted(fields.Get(Type).Meant(fields), fields);
        bool takesHeader = Parts(fields).IsEmpty && fields.Get(Type).TakesProxyHeader;
        return CheckCadence.Apply(check, whole) with { Port = asked, ProxyProtocol = takesHeader ? begin : null };
    }

    private static Check Encrypted(Check check, Fields fields) => check is ConversationCheck talk ? talk with { Tls = CheckTls.Meant(fields) } : check;

    // At a port of its own it asks something else than clients do; HAProxy takes it so as well.
    private static ProxyProtocolVersion? HeaderOf(Fields fields, ProxyProtocolVersion? otherwise) => fields.FindValue(ProxyProtocol) switch
    {
        ProxyHeaderWord.V1 => ProxyProtocolVersion.V1,
        ProxyHeaderWord.V2 => ProxyProtocolVersion.V2,
        ProxyHeaderWord.None => null,
        null => fields.IsWritten(Port) ? null : otherwise,
    };

    private static ImmutableArray<Fields> Parts(Fields fields) => fields.FindValue(All) ?? fields.FindValue(Any) ?? [];

    private static void Relate(Fields fields, ProblemList problems)
    {
        CheckCadence.Relate(fields, problems);
        RelateParts(fields, problems);
        if (fields.IsBroken(Type) || fields.IsWritten(All) || fields.IsWritten(Any) || fields.Get(Type) is not { IsSwitch: false } kind)
            return;
        kind.Rule?.Invoke(fields, problems);
        if (!kind.Tls.IsEmpty)
            CheckTls.Relate(kind, fields, problems);
        if (fields.IsWritten(ProxyProtocol) && !kind.TakesProxyHeader)
            problems.Add(fields.AtOf(ProxyProtocol), $"`{ProxyProtocol.Name}` means nothing to a {kind.Word} check", "remove it");
        foreach (Setting setting in OfKinds.Where(s => fields.IsWritten(s) && !kind.Understands(s)))
        {
            string other = CheckKinds.All.First(k => k.Understands(setting)).Word;
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing to a {kind.Word} check", fields.IsWritten(Type) ? $"remove it, or write `type: {other}`" : $"add `type: {other}`");
        }
    }

    private static void RelateParts(Fields fields, ProblemList problems)
    {
        Setting[] said = [.. ((Setting[])[Type, All, Any]).Where(fields.IsWritten)];
        foreach (Setting second in said.Skip(1))
            problems.Add(fields.AtOf(second), $"`{second.Name}` and `{said[0].Name}` are two questions", "keep one, or write them as the items of one `all` or `any`");
        if (said is [var only] && only != Type)
        {
            foreach (Setting setting in OfKinds.Where(fields.IsWritten))
                problems.Add(fields.AtOf(setting), $"`{setting.Name}` stands beside `{only.Name}`, so it belongs to none of its checks", "write it in the check it is for");
        }

        foreach (Fields part in Parts(fields))
        {
            foreach (Setting setting in CheckCadence.Settings.Where(part.IsWritten))
                problems.Add(part.AtOf(setting), $"`{setting.Name}` is said once, for the whole check", $"write it beside `{said[0].Name}`");
        }

        if (Depth(fields) == Deepest + 1) // said once: what holds it is deeper still
            problems.Add(fields.At, $"checks within checks may be {Deepest} deep", "write it with fewer");
    }

    private static int Depth(Fields fields) => 1 + Parts(fields).Select(Depth).DefaultIfEmpty(0).Max();
}

/// <summary>A version of the PROXY protocol, or none.</summary>
internal enum ProxyHeaderWord
{
    None,
    V1,
    V2,
}
