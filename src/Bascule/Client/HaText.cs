using System.Globalization;
using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>Failover for people: what needs them first, then each instance, then the other directors.</summary>
internal sealed class HaText(TextWriter to)
{
    public void Write(HaStatus status)
    {
        to.WriteLine(Line(status));
        foreach (string warning in status.Warnings)
            to.WriteLine($"Warning: {warning}");
        foreach (InstanceStatus instance in status.Instances)
            Write(instance, status);
        foreach (PeerStatus peer in status.Peers)
            Write(peer, status.Now);
    }

    /// <summary>How long ago: <c>0.1 s</c>, <c>12 s</c>, <c>3m 12s</c>.</summary>
    public static string Ago(TimeSpan age) => age switch
    {
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, age.TotalSeconds):0.0} s"),
        { TotalMinutes: < 1 } => $"{(int)age.TotalSeconds} s",
        _ => StatusText.Age(age),
    };

    private static string Line(HaStatus status)
    {
        LatenessStatus late = status.Lateness;
        string worst = late.WorstAt is { } at ? string.Create(CultureInfo.InvariantCulture, $", at worst {late.Worst:0.0} ms {Ago(status.Now - at)} ago, {late.Late} times too late") : "";
        return string.Create(CultureInfo.InvariantCulture, $"Director {status.Node}: failover thread {late.Last:0.0} ms late{worst}; ")
            + $"{(late.IsRealtime ? "real-time priority" : "no real-time priority")}, {(late.IsLocked ? "memory locked" : "memory not locked")}";
    }

    private void Write(InstanceStatus instance, HaStatus status)
    {
        to.WriteLine();
        to.WriteLine($"{instance.Name}: {instance.Role} since {StatusText.Age(status.Now - instance.Since)}: {instance.Why}");
        string priority = instance.Priority == instance.ConfiguredPriority ? $"{instance.Priority}" : $"{instance.Priority} (configured: {instance.ConfiguredPriority})";
        to.WriteLine($"  {string.Join(", ", instance.Addresses)} on {instance.Interface}, virtual router {instance.VirtualRouterId}, VRRP {instance.Version}, priority {priority}");
        foreach (PeerStatus peer in status.Peers)
            to.WriteLine($"  {LastWord(peer, instance.Name, status.Now)}");
        if (instance.Heard is { } heard)
            to.WriteLine($"  last advertisement from {heard.Address}, {(heard.Priority == 0 ? "a goodbye" : $"priority {heard.Priority}")}, {Ago(status.Now - heard.At)} ago");
        foreach (TrackedStatus tracked in instance.Tracked.Where(t => !t.IsWell))
            to.WriteLine($"  not well: {tracked.What}: {tracked.Why} ({(tracked.Weight == 0 ? "holds it back" : $"weight {tracked.Weight}")})");
        to.WriteLine($"  {Counters(instance.Counters)}");
        foreach (TransitionStatus change in instance.Transitions)
            to.WriteLine($"  {change.At.ToLocalTime():yyyy-MM-dd HH:mm:ss.fff} {change.From} -> {change.To}: {change.Why}");
    }

    /// <summary>A word that is older than it can be believed is told as the past.</summary>
    public static string LastWord(PeerStatus peer, string instance, DateTimeOffset now)
    {
        if (peer.LastHeard is not { } at)
            return $"{peer.Name} has never been heard";
        PeerRole? said = peer.Roles.FirstOrDefault(r => r.Instance == instance);
        string words = said is null ? "does not know this instance" : $"{said.Role}, priority {said.Priority}";
        return peer.IsHeard
            ? $"{peer.Name} said {Ago(now - at)} ago: {words}"
            : $"{peer.Name}: nothing for {Ago(now - at)}, so nobody knows what it is (its last word was: {words})";
    }

    private static string Counters(VrrpCounters counters)
    {
        (long Count, string What)[] rare =
        [
            (counters.NotSent, "could not be sent"), (counters.ReceivedMessageOnly, "with the checksum of RFC 9568"), (counters.ReceivedOtherInterval, "with another interval"),
            (counters.ReceivedOtherAddresses, "with other addresses"), (counters.ReceivedWithoutHmac, "without HMAC"), (counters.ReceivedWrongHmac, "with a wrong HMAC"),
        ];
        IEnumerable<string> rejected = counters.Rejected.Select(r => $"{r.Value} rejected ({r.Key})");
        return string.Join(", ", [$"advertisements: {counters.Sent} sent", $"{counters.Received} received", .. rare.Where(r => r.Count > 0).Select(r => $"{r.Count} {r.What}"), .. rejected,
            $"{counters.Announced} announcements", $"Active {counters.BecameActive} times"]);
    }

    private void Write(PeerStatus peer, DateTimeOffset now)
    {
        to.WriteLine();
        to.WriteLine($"{peer.Name}: {(peer.LastHeard is { } at ? peer.IsHeard ? $"heard {Ago(now - at)} ago" : $"nothing for {Ago(now - at)}" : "never heard")}");
        foreach (LinkStatus link in peer.Links)
            to.WriteLine($"  over {link.Address}: {Of(link, now)}; {link.Sent} sent, {link.Received} received, {link.Lost} lost, {link.Rejected} rejected");
        if (peer.Channel is { } channel)
            to.WriteLine($"  state: {(channel.IsConnected ? string.Join(", ", channel.Streams.Select(Of)) : channel.WhyNot)}");
    }

    private static string Of(LinkStatus link, DateTimeOffset now) => link switch
    {
        { LastHeard: null } => "never heard",
        { IsHeard: false, LastHeard: { } at } => $"nothing for {Ago(now - at)}",
        { HearsUs: false } => "one way: it does not hear us there",
        { HearsUs: null } => "heard; whether it hears us there is not known",
        { HearsUs: true } => "both ways",
    };

    private static string Of(StreamStatus stream) =>
        $"{stream.Name} {(stream.IsInStep ? "in step" : "not in step yet")} ({stream.Sent} sent, {stream.Received} received{(stream.Rejected > 0 ? $", {stream.Rejected} rejected" : "")})";
}
