using System.Collections.Immutable;

namespace Bascule.Core.Config.Checks;

/// <summary>Every kind of question, in the order of the reference.</summary>
/// <remarks>
/// To add the kind <c>x</c>, write these and nothing else:
/// <list type="number">
/// <item><c>Core/Model/Checks/XCheck.cs</c>: a sealed record, child of <see cref="Model.Check"/>: what is asked, immutable, equal when the question is (lists in ValueList).</item>
/// <item><c>Core/Config/Checks/XKind.cs</c>: its settings and a <see cref="CheckKind"/>; and a line in <see cref="All"/> below.</item>
/// <item><c>Health/XProbe.cs</c>: asks. Over TCP it is a <c>StreamProbe</c> and talks by a <c>Conversation</c>; otherwise a <c>Probe</c>. And a line in <c>Probe.For</c>.</item>
/// <item><c>tests/Bascule.Health.Tests/XProbeTests.cs</c>: good, wrong, hanging, garbage, best with the real program.</item>
/// <item>Its settings in samples/everything.yaml, an example in samples/checks.yaml, a row in docs/guide/check-a-server.md, and docs/guide/reference.md written anew.</item>
/// </list>
/// A name of a setting means one thing in all kinds: share the <see cref="Setting"/>, or choose another name.
/// </remarks>
internal static class CheckKinds
{
    public static readonly ImmutableArray<CheckKind> All =
    [
        TcpKind.Kind,
        HttpKind.Kind,
        HttpsKind.Kind,
        TlsKind.Kind,
        UdpKind.Kind,
        PingKind.Kind,
        SendExpectKind.Kind,
        ScriptKind.Kind,
        AgentKind.Kind,
        FileKind.Kind,
        DnsKind.Kind,
        SmtpKind.Kind,
        DatabaseKinds.Redis,
        DatabaseKinds.Postgres,
        DatabaseKinds.Mysql,
        LoginKinds.Imap,
        LoginKinds.Pop3,
        LoginKinds.Ftp,
        LoginKinds.Ldap,
        LoginKinds.Radius,
        SipKind.Kind,
        SwitchKinds.On,
        SwitchKinds.Off,
        SwitchKinds.None,
    ];
}
