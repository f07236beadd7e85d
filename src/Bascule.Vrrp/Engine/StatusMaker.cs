using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Vrrp.Peers;
using Bascule.Vrrp.Track;

namespace Bascule.Vrrp.Engine;

/// <summary>Puts together what the API answers, off the failover thread, from what that thread leaves to be read.</summary>
internal static class StatusMaker
{
    public static HaStatus Make(string node, FailoverLoop loop, ImmutableArray<PeerStatus> peers, IEnumerable<string> warnings, TimeProvider time, bool isRealtime, bool isLocked)
    {
        DateTimeOffset utc = time.GetUtcNow();
        TimeSpan now = loop.Now;
        return new()
        {
            Node = node,
            Now = utc,
            Instances = [.. loop.Instances.Select(i => Of(i, at => utc - (now - at)))],
            Peers = peers,
            Lateness = loop.Lateness.Read(isRealtime, isLocked),
            Warnings = [.. warnings, .. peers.SelectMany(p => Warnings(loop, p)), .. loop.Instances.SelectMany(Warnings)],
        };
    }

    /// <summary>What is known of the peers. On the failover thread, which owns it.</summary>
    public static ImmutableArray<PeerStatus> Of(HaSettings settings, ImmutableArray<PeerView> peers, TimeProvider time)
    {
        TimeSpan now = time.GetElapsedTime(0);
        DateTimeOffset utc = time.GetUtcNow();
        return [.. settings.Peers.Zip(peers, (configured, peer) => Of(settings, configured, peer, now, at => utc - (now - at)))];
    }

    private static PeerStatus Of(HaSettings settings, HaPeer configured, PeerView peer, TimeSpan now, Func<TimeSpan, DateTimeOffset> atUtc) => new()
    {
        Name = peer.Name,
        LastHeard = peer.LastHeard is { } at ? atUtc(at) : null,
        IsHeard = peer.IsHeard(now),
        Links = [.. configured.Addresses.Zip(peer.Links, (address, link) => (address, link)).Select((l, i) => new LinkStatus(l.address.ToString(),
            l.link.LastHeard is { } heard ? atUtc(heard) : null, peer.IsHeard(i, now), peer.HearsUsOn(i, now), l.link.Sent, l.link.Received, l.link.Lost, l.link.Rejected))],
        Roles = [.. settings.Instances.Select(i => (i.Name, Key: Heartbeat.InstanceKey(FailoverLoop.FamilyOf(i), i.VirtualRouterId, i.Name)))
            .Where(i => peer.TryFind(i.Key, out _)).Select(i => RoleOf(peer, i.Name, i.Key))],
    };

    private static PeerRole RoleOf(PeerView peer, string name, ulong key)
    {
        peer.TryFind(key, out HeartbeatInstance says);
        return new(name, says.Role, says.Priority);
    }

    private static InstanceStatus Of(Instance instance, Func<TimeSpan, DateTimeOffset> atUtc)
    {
        HaInstance configured = instance.Configured;
        RoleChange latest = instance.History.Latest;
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
            Priority = instance.Judge.Priority,
            Heard = instance.Heard is { } heard ? new(heard.Address.ToString(), heard.Priority, atUtc(heard.At)) : null,
            Tracked = [new($"interface {configured.Interface}", instance.InterfaceTrouble is null, instance.InterfaceTrouble ?? "up", 0), .. configured.Track.Select((t, i) => Of(t, instance.Tracked(i)))],
            Counters = instance.Counters.Read(instance.Announced) with { ReceivedWithoutHmac = instance.Hmac?.TakenWithout ?? 0, ReceivedWrongHmac = instance.Hmac?.TakenWrong ?? 0 },
            Transitions = [.. instance.History.Read().Select(t => new TransitionStatus(t.At, t.From, t.To, t.Reason, t.Why))],
        };
    }

    private static TrackedStatus Of(Tracked tracked, TrackedState? state) =>
        new(TrackedState.NameOf(tracked), state?.IsWell ?? false, (state ?? TrackedState.Unknown).Why, tracked.Weight);

    private static IEnumerable<string> Warnings(FailoverLoop loop, PeerStatus peer)
    {
        if (!peer.IsHeard)
        {
            yield return peer.LastHeard is null && peer.Links.Any(l => l.Rejected > 0)
                ? $"{peer.Name} is not understood: what comes from its addresses is refused; give both the same key, and each the other's `node` as the peer's name"
                : $"{peer.Name} is not heard: if it runs, look at cables, addresses and filters (UDP, `ha.port`)";
            yield break;
        }

        foreach (LinkStatus link in peer.Links.Where(l => !l.IsHeard))
            yield return $"{peer.Name} is not heard over {link.Address}, and it is elsewhere: look at the cable, filters and addresses on that way";
        foreach (LinkStatus link in peer.Links.Where(l => l is { IsHeard: true, HearsUs: false }))
            yield return $"{peer.Name} does not hear us over {link.Address}, and we hear it there: look at the cable, filters and addresses on that way";
        foreach (PeerRole role in peer.Roles.Where(r => loop.Find(r.Instance)?.Judge.Priority == r.Priority))
            yield return $"{role.Instance}: {peer.Name} has the same priority ({role.Priority}), so the higher address decides; give one of the two another";
    }

    private static IEnumerable<string> Warnings(Instance instance)
    {
        foreach (string conflict in instance.Conflicts)
            yield return $"{instance.Configured.Name}: {conflict}";
        if (Volatile.Read(ref instance.Counters.OtherAddresses) > 0 && instance.Heard is { } heard)
            yield return $"{instance.Configured.Name}: {heard.Address} uses virtual router id {instance.Configured.VirtualRouterId} on {instance.Configured.Interface} with other addresses; "
                + "give one of the two another id, or make the addresses the same";
    }
}
