using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Roles;
using Bascule.Vrrp.Engine;
using Bascule.Vrrp.Handover;

namespace Bascule.Daemon;

/// <summary>A planned handover: another director serves, and this one stays ready.</summary>
internal sealed class Handover(VrrpEngine failover, HandoverDesk desk, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Hands over, and waits until another one says that it serves.</summary>
    /// <param name="instance">Null: all that this director is Active for.</param>
    public async Task<HandoverResult> RunAsync(string? instance)
    {
        HaStatus before = await failover.StatusAsync();
        InstanceStatus[] wanted = [.. before.Instances.Where(i => instance is null || i.Name == instance)];
        InstanceStatus[] active = [.. wanted.Where(i => i.Role == Role.Active)];
        if (active.Length == 0)
            return Nothing(wanted.Length == 1 ? $"{wanted[0].Name} is {wanted[0].Role} here: there is nothing to hand over" : "this director is Active for nothing");
        if (!before.Peers.IsEmpty && active.FirstOrDefault(i => !IsAwaited(before, i.Name)) is { } alone)
            return Nothing($"no other director is heard that is Backup for {alone.Name}, so nobody would answer for its addresses; nothing was handed over");
        if (desk.Arriving(instance).FirstOrDefault() is { } early)
            return Nothing($"{early} was taken a short time ago, and connections of it go on at the other director yet; nothing was handed over: try again when it has drained there (bascule ha there says when), in {failover.Settings.HandoverTimeout.TotalSeconds:0} s at the latest");

        ImmutableArray<HandoverAnswer> answers = await desk.HandOverAsync(instance);
        string[] handedOver = [.. answers.Select(a => a.Instance)];
        string[] open = await TakenAsync(before.Now, handedOver);
        return new()
        {
            HandedOver = [.. handedOver],
            Notes = [.. answers.Select(a => $"{a.Instance}: {a.What}"), .. open.Select(name => $"{name}: nobody else was heard as Active within {Patience.TotalSeconds:0} s; this director takes the addresses back when it hears nobody")],
        };
    }

    private static HandoverResult Nothing(string why) => new() { HandedOver = [], Notes = [why] };

    private static bool IsAwaited(HaStatus status, string instance) =>
        status.Peers.Any(p => p.IsHeard && p.Roles.Any(r => r.Instance == instance && r.Role == Role.Backup));

    /// <summary>Waits for the others.</summary>
    /// <returns>The instances that nobody has taken.</returns>
    private async Task<string[]> TakenAsync(DateTimeOffset since, IReadOnlyList<string> handedOver)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            HaStatus now = await failover.StatusAsync();
            string[] open = [.. handedOver.Where(name => !IsTaken(now, name, since))];
            if (open.Length == 0 || time.GetElapsedTime(began) > Patience)
                return open;
            await Task.Delay(LookInterval, time);
        }
    }

    private static bool IsTaken(HaStatus status, string instance, DateTimeOffset since) =>
        status.Peers.Any(p => p.IsHeard && p.Roles.Any(r => r.Instance == instance && r.Role == Role.Active))
        || status.Instances.Any(i => i.Name == instance && i.Heard is { } heard && heard.At > since && heard.Priority > 0);
}
