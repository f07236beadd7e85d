using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>One receiver of notifications.</summary>
internal static class NotifySection
{
    private const int LongestText = 4096;

    public static readonly Setting<ImmutableArray<string>> Command = new("command", ProgramForm.Of(
        new("there is no program to start", "write its path and arguments, such as `[/usr/local/bin/told]`")))
    {
        Doc = "A program that is started with the arguments TYPE NAME STATE WHY after its own; PATH, LANG, HOME, BASCULE_NODE, BASCULE_NUMBER and BASCULE_AT are its environment. It runs as the daemon's user; one at a time, in order.",
        Otherwise = "no program is started",
        Source = "keepalived notify",
        Example = "command: [/usr/local/bin/told]",
        AlsoCalled = ["script", "exec", "notify_script", "run"],
    };

    public static readonly Setting<string> Webhook = new("webhook", new TextForm("a URL that begins with http:// or https://", LongestText, Url))
    {
        Doc = "A URL to which a JSON object is POSTed: number, node, type, name, state, why, at. Tried three times; the number stays the same.",
        Otherwise = "nothing is POSTed",
        Source = "ours",
        Example = "webhook: https://alerts.example.org/bascule",
        AlsoCalled = ["url", "http", "post"],
    };

    public static readonly Setting<string> Syslog = new("syslog", new TextForm("`local`, or the address of a log server, such as 10.0.0.9:514", 64, LogServer))
    {
        Doc = "`local`: this machine's log, by /dev/log. An address: a log server, by UDP, in the form of RFC 5424; port 514 where none is said.",
        Otherwise = "no log is told (the daemon's own log is, always)",
        Source = "RFC 5426 §3.3: port 514",
        Example = "syslog: local",
    };

    public static readonly Setting<Fields> Email = new("email", EmailSection.Section)
    {
        Doc = "A letter for each notification.",
        Default = Fields.Nothing,
        Otherwise = "no letter is sent",
        Example = "email: { server: mail.example.org, from: bascule@example.org, to: [ops@example.org] }",
        AlsoCalled = ["mail", "smtp", "smtp_alert"],
    };

    public static readonly Setting<ImmutableArray<NotificationType>> On = new("on", new ListForm<NotificationType>(
        new ChoiceForm<NotificationType>(
            new("instance", NotificationType.Instance, "An instance of `ha` became active, backup or initialize.", "role", "vrrp", "vip"),
            new("realServer", NotificationType.RealServer, "A real server went up or down, was ejected for its answers to clients, or an operator wants something else of it.", "server", "health", "rs"),
            new("virtualServer", NotificationType.VirtualServer, "A virtual server gained or lost its quorum (up, down), others serve it than before (main, fallback, everybody, sorry, nobody), or an operator wants something else of it.", "service", "vs"),
            new("director", NotificationType.Director, "The director started, or stops.", "daemon")),
        new("there is nothing to tell of", "list at least one of instance, realServer, virtualServer and director")))
    {
        Doc = "What it is told of.",
        Default = [NotificationType.Instance, NotificationType.RealServer, NotificationType.VirtualServer, NotificationType.Director],
        Source = "ours; whoever is told nothing finds out from the clients",
        Example = "on: [instance]",
        AlsoCalled = ["events", "types"],
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", new DurationForm(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)))
    {
        Doc = "How long one notification may take; then a program is killed with all it started, and the next one's turn comes.",
        Default = TimeSpan.FromSeconds(10),
        Source = "keepalived: startup and shutdown scripts have 10 s",
        Example = "timeout: 10s",
    };

    public static readonly Section Section = new("receiver", Command, Webhook, Syslog, Email, On, Timeout)
    {
        Doc = "Somebody who is told of changes of state: one of `command`, `webhook`, `syslog` and `email`. Each is told in order and once; a slow one delays nobody.",
        Place = "in a receiver of `notify`",
        Rule = RequireOneWay,
    };

    private static readonly ImmutableArray<Setting> Ways = [Command, Webhook, Syslog, Email];

    public static Receiver Meant(string name, Fields fields) => new()
    {
        Name = name,
        Way = fields.FindValue(Command) is { } command ? new CommandWay(new(command))
            : fields.Find(Webhook) is { } url ? new WebhookWay(new Uri(url))
            : fields.Find(Syslog) is { } server ? new SyslogWay(server == Local ? null : ServerOf(server))
            : EmailSection.Meant(fields.Get(Email)),
        On = new(fields.Get(On)),
        Timeout = fields.Get(Timeout),
    };

    private const string Local = "local";
    private const int SyslogPort = 514;

    private static System.Net.IPEndPoint ServerOf(string text)
    {
        _ = AddressForm.RealServer.Parse("syslog", text, out WrittenAddress? server);
        return server!.WithPort(SyslogPort);
    }

    private static void RequireOneWay(string name, Fields fields, ProblemList problems)
    {
        Setting[] written = [.. Ways.Where(fields.IsWritten)];
        if (written.Length == 0 && !problems.IsPartial)
            problems.Add(fields.At, $"nothing says how {Show.Quoted(name)} is told", "add `command`, `webhook`, `syslog` or `email`");
        foreach (Setting second in written.Skip(1))
            problems.Add(fields.AtOf(second), $"`{second.Name}` and `{written[0].Name}` are two ways to tell one receiver", "make two receivers of them");
        if (fields.FindValue(Command) is [{ } program, ..] && !program.StartsWith('/'))
            problems.Add(fields.AtOf(Command), $"{Show.Quoted(program)} is not an absolute path", "write the whole path of the program: it is not looked for");
    }

    private static Complaint? Url(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Host.Length > 0
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a URL that can be POSTed to", "write one that begins with https:// or http://");

    private static Complaint? LogServer(string name, string text) => text == Local ? null : AddressForm.RealServer.Parse(name, text, out _);
}

/// <summary>A letter for each notification.</summary>
internal static class EmailSection
{
    public static readonly Setting<string> Server = new("server", new TextForm("the name or address of a mail server", 255, ServerName))
    {
        Doc = "Name or address of the mail server.",
        Example = "server: mail.example.org",
        AlsoCalled = ["smtp_server", "host", "relay"],
    };

    public static readonly Setting<int> Port = new("port", new CountForm(1, 65_535))
    {
        Doc = "Its port.",
        Default = 25,
        Source = "RFC 5321 §4.5.4.2",
        Example = "port: 25",
    };

    public static readonly Setting<string> From = new("from", new TextForm("a mail address", 254, Address))
    {
        Doc = "The sender's address.",
        Example = "from: bascule@example.org",
        AlsoCalled = ["notification_email_from", "sender"],
    };

    public static readonly Setting<ImmutableArray<string>> To = new("to", new ListForm<string>(
        new TextForm("a mail address", 254, Address), new("there is nobody to write to", "list at least one address")))
    {
        Doc = "Who gets it.",
        Example = "to: [ops@example.org]",
        AlsoCalled = ["notification_email", "recipients"],
    };

    public static readonly Setting<bool> StartTls = new("startTls", new SwitchForm())
    {
        Doc = "Whether the connection must be encrypted before anything is sent (RFC 3207); the server's certificate is checked.",
        Default = false,
        Source = "ours; a mail server of one's own on port 25 seldom has a certificate that fits",
        Example = "startTls: true",
        AlsoCalled = ["tls", "ssl"],
    };

    public static readonly Section Section = new("email", Server, Port, From, To, StartTls)
    {
        Doc = "A letter for each notification.",
        Place = "in `email` of a receiver",
    };

    public static EmailWay Meant(Fields fields) =>
        new(fields.Get(Server), fields.Get(Port), fields.Get(From), new(fields.Get(To)), fields.Get(StartTls));

    private static Complaint? ServerName(string name, string text) =>
        Uri.CheckHostName(text) != UriHostNameType.Unknown
            ? null
            : new($"`{name}: {Show.Safe(text)}` is neither the name nor the address of a machine", "write it without port, such as mail.example.org");

    private static Complaint? Address(string name, string text) =>
        text.Length > 2 && text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at < text.Length - 1 && text.All(c => c is > ' ' and < '\x7F' and not ('<' or '>' or ',' or ';' or '"'))
            ? null
            : new($"`{name}: {Show.Safe(text)}` is not a mail address", "write it without name and brackets, such as ops@example.org");
}
