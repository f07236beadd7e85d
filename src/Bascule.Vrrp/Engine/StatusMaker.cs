using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Engine;

/// <summary>Puts together what the API answers, off the failover thread, from what that thread leaves to be read.</summary>
internal static class StatusMaker
{
    public static HaStatus Make(string node, FailoverLoop loop, TimeProvider time, bool isRealtime, bool isLocked)
    {
        DateTimeOffset utc = time.GetUtcNow();
        TimeSpan now = loop.Now;
        return new()
        {
            Node = node,
            Now = utc,
            Instances = [.. loop.Instances.Select(i => Of(i, at => utc - (now - at)))],
            Peers = [],
            Lateness = loop.Lateness.Read(isRealtime, isLocked),
            Warnings = [.. loop.Instances.SelectMany(Warnings)],
        };
    }

    private static InstanceStatus Of(Instance instance, Func<TimeSpan, DateTimeOffset> atUtc)
    {
        HaInstance configured = instance.Configured;
        Transition latest = instance.Latest;
        return new()
        {
            Name = configured.Name,
            Interface = configured.Interface,
            VirtualRouterId = configured.VirtualRouterId,
            Version = (byte)configured.Version,
            Addresses = [.. configured.Addresses.Select(a => $"{a.Address}/{a.PrefixLength}")],
            Role = latest.To,
            Since = latest.At,
            Reason = latest.Reason,
            Why = latest.Why,
            ConfiguredPriority = configured.Priority,
            Priority = instance.Priority,
            Heard = instance.Heard is { } heard ? new(heard.Address.ToString(), heard.Priority, atUtc(heard.At)) : null,
            Tracked = [],
            Counters = instance.Counters.Read(announced: 0),
            Transitions = [.. instance.Transitions().Select(t => new TransitionStatus(t.At, t.From, t.To, t.Reason, t.Why))],
        };
    }

    private static IEnumerable<string> Warnings(Instance instance)
    {
        if (Volatile.Read(ref instance.Counters.OtherAddresses) > 0 && instance.Heard is { } heard)
            yield return $"{instance.Configured.Name}: {heard.Address} uses virtual router id {instance.Configured.VirtualRouterId} on {instance.Configured.Interface} with other addresses; "
                + "give one of the two another id, or make the addresses the same";
    }
}
