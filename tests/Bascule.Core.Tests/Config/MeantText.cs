using System.Reflection;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Config;

/// <summary>A configuration as meant, every value of it, in lines that a case file can hold.</summary>
internal static class MeantText
{
    public static string Write(Configuration meant)
    {
        StringBuilder text = new();
        Limits limits = meant.Limits;
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
            workers {meant.Workers?.ToString() ?? "one per core"}; admin {meant.AdminSocket}; shutdown {meant.ShutdownTimeout}
            limits {limits.ConnectionsPerWorker} connections; head {limits.HeaderSize} bytes, line {limits.RequestLineSize}, {limits.HeaderCount} fields; pool {limits.PooledPerRealServer}

            """);
        if (meant.Packets is { } p)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"packets on [{string.Join(", ", p.Interfaces)}] {p.Attach}; state {p.StateFolder}; {p.Flows} flows; flood {p.FloodNewFlowsPerSecond}; key {Write(p.HashKey)}\n");
        if (meant.StateFile != "/var/lib/bascule/state.json")
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"states in {meant.StateFile}\n");
        if (meant.Node is { } node)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"node {node}\n");
        if (meant.Ha is { } ha)
            HaMeantText.Write(ha, text);
        foreach (Receiver receiver in meant.Notify)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"notify {receiver.Name} on [{string.Join(", ", receiver.On)}] within {receiver.Timeout}: {Write(receiver.Way)}\n");
        foreach (VirtualServer virtualServer in meant.VirtualServers)
            Write(virtualServer, text);
        return text.ToString();
    }

    private static void Write(VirtualServer virtualServer, StringBuilder text)
    {
        Timeouts t = virtualServer.Timeouts;
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
            {virtualServer.Name}: {string.Join(", ", virtualServer.Addresses)} {virtualServer.Protocol} {virtualServer.Scheduler}
              check {Write(virtualServer.Check)}

            """);
        if (virtualServer.State != AdministrativeState.Enabled)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  state {virtualServer.State.Word()}\n");
        if (virtualServer.SchedulerFlags != SchedulerFlags.None)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  flags {virtualServer.SchedulerFlags}\n");
        if (virtualServer.Persistence is { } persistence)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {persistence}\n");
        if (virtualServer.Quorum is { } quorum)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  quorum {quorum.Up} hysteresis {quorum.Hysteresis} on up [{string.Join(", ", quorum.OnUp ?? [])}] on down [{string.Join(", ", quorum.OnDown ?? [])}]\n");
        if (virtualServer.Panic != Panic.Sorry)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  panic {virtualServer.Panic}\n");
        if (virtualServer.PassiveCheck is { } passive)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {passive}\n");
        if (virtualServer.ProxyProtocol is { } header)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  headers from [{string.Join(", ", header.From)}] sent {header.Send?.ToString() ?? "none"}\n");
        if (virtualServer.IsTransparent)
            text.Append("  transparent\n");
        if (!virtualServer.IsProxied)
            Write(virtualServer.Forwarding, virtualServer.Packets, text);
        foreach (RealServer realServer in virtualServer.RealServers)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {realServer.Address} weight {realServer.Weight}{Beside(realServer, virtualServer)}\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
              sorry server {virtualServer.SorryServer?.ToString() ?? "none"}
              timeouts connect {t.Connect} idle {t.Idle} request {t.Request} response {t.Response}
                body {t.Body} keep-alive {t.KeepAlive} pool {t.Pool} tunnel {t.Tunnel}

            """);
    }

    private static string Write(Way way) => way switch
    {
        CommandWay command => $"command [{string.Join(", ", command.Command)}]",
        EmailWay email => $"email by {email.Server}:{email.Port} from {email.From} to [{string.Join(", ", email.To)}] {(email.StartTls ? "encrypted" : "in the clear")}",
        _ => way.ToString(),
    };

    private static void Write(Forwarding forwarding, PacketRules rules, StringBuilder text) =>
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
              forward {forwarding}
              one packet {rules.OnePacket}; expire {rules.ExpireNoDestination}; allow [{string.Join(", ", rules.Allow)}] deny [{string.Join(", ", rules.Deny)}]
                rates {rules.NewFlowsPerSecond} flows {rules.PacketsPerSecondPerSource} packets; {rules.FlowTimeouts}

            """);

    private static string Beside(RealServer realServer, VirtualServer virtualServer) =>
        (realServer.Forwarding == virtualServer.Forwarding ? "" : $" forward {realServer.Forwarding}")
        + (realServer.Thresholds is { } bounds ? $" {bounds}" : "")
        + (realServer.IsFallback ? " fallback" : "")
        + (realServer.SlowStart > TimeSpan.Zero ? $" starts slowly for {realServer.SlowStart}" : "")
        + (realServer.Check is { } own ? $" check {Write(own)}" : "")
        + (realServer.State == AdministrativeState.Enabled ? "" : $" {realServer.State.Word()}");

    private static string Write(HashKeySource? key) => key switch
    {
        null => "made",
        GivenHashKey given => given.Key.ToHex(),
        _ => $"{key}",
    };

    private static string Write(Check? check) => check switch
    {
        null => "none",
        HttpCheck http => $"{Times(http.Tls is null ? "http" : "https", http)}\n    {http.Method} {http.Path} host {http.Host ?? "asked"} headers [{string.Join(", ", http.Headers.Select(h => $"{h.Name}={h.Value}"))}]"
            + $" expect [{string.Join(", ", http.Expect.Select(e => $"{e.First}-{e.Last}"))}] contains {http.BodyContains ?? "anything"} matches {http.BodyMatches ?? "anything"}"
            + (http.ExpectHeaders.Count > 0 ? $" having [{string.Join(", ", http.ExpectHeaders.Select(h => $"{h.Name}={h.Value}"))}]" : "")
            + (http.BodyNotContains is { } lacks ? $" without {lacks}" : "")
            + (http.BodyDigest is { } digest ? $" {digest.Kind} {digest.Hex}" : "")
            + (http.Tls is { } terms ? $"\n    {Plain(terms)}" : ""),
        TcpCheck => Times("tcp", check),
        _ => $"{Times(check.Words, check)}{string.Concat(Own(check).Select(said => $"\n    {said}"))}",
    };

    /// <summary>What a kind of check has beside what all have, one line each.</summary>
    private static IEnumerable<string> Own(Check check) =>
        check.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.DeclaringType != typeof(Check) && p.Name != nameof(Check.Words))
            .Where(p => p.Name is not (nameof(ConversationCheck.Tls) or nameof(SqlCheck.SaysPassword)) || p.GetValue(check) is not (null or false)) // where it is said
            .Select(p => $"{p.Name}: {Plain(p.GetValue(check))}");

    private static string Plain(object? value) => value switch
    {
        null => "none",
        string text => text,
        Check part => Write(part).ReplaceLineEndings(" "),
        IEnumerable<byte> bytes => Convert.ToHexStringLower([.. bytes]),
        TlsUse tls => $"{tls.Begin} {Plain(tls.Terms)}",
        TlsTerms tls => $"tls name {tls.ServerName ?? "none"} verifies {tls.Verifies} by {tls.AuthorityFile ?? "this machine"} pin {Plain(tls.Pin)} warns {tls.WarnBefore}",
        SendStep step => $"send {Plain(step.Bytes)}",
        ExpectBytesStep step => $"expect {Plain(step.Bytes)}",
        System.Collections.IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Plain))}]",
        _ => value.ToString()!,
    };

    private static string Times(string kind, Check check) =>
        $"{kind} every {check.Interval} within {check.Timeout} rise {check.Rise} fall {check.Fall} port {check.Port?.ToString() ?? "its own"}{(check.ProxyProtocol is { } header ? $" header {header}" : "")}{Cadence(check)}";

    private static string Cadence(Check check) => string.Concat(
        check.IntervalDown is { } down ? $"\n    down every {down}" : "",
        check.IntervalUnknown is { } unknown ? $"\n    unknown every {unknown}" : "",
        check.Retries > 0 ? $"\n    repeated {check.Retries} times after {check.RetryDelay}" : "",
        check.Reentry > TimeSpan.Zero ? $"\n    reentry {check.Reentry}" : "",
        check.WarmUp > TimeSpan.Zero ? $"\n    warm-up {check.WarmUp}" : "",
        check.FlapHold is { } flap ? $"\n    held for {flap.Hold} after {flap.Changes} changes in {flap.Window}" : "",
        check.BeginsUp ? "\n    begins up" : "");
}
