using System.Text;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Config;

/// <summary>What <see cref="MeantText"/> says about directors that share addresses.</summary>
internal static class HaMeantText
{
    public static void Write(HaSettings ha, StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
            ha port {ha.Port}; heartbeats {ha.HeartbeatInterval?.ToString() ?? "auto"}; backup checks {ha.BackupCheckInterval}; handover {ha.HandoverTimeout}
              state {ha.StateFolder}; shares {ha.SharesConfiguration}; real time {ha.RealtimePriority}

            """);
        foreach (HaPeer peer in ha.Peers)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  peer {peer.Name} [{string.Join(", ", peer.Addresses)}] {peer.Key}\n");
        foreach (SyncGroup group in ha.SyncGroups)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  group {group.Name} [{string.Join(", ", group.Instances)}]\n");
        foreach (HaInstance instance in ha.Instances)
            Write(instance, text);
    }

    private static void Write(HaInstance i, StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
              instance {i.Name} on {i.Interface} id {i.VirtualRouterId} priority {i.Priority} {i.Version} every {i.AdvertInterval} missed {i.MissedAdvertisements}
                unicast [{string.Join(", ", i.Unicast)}] source {i.Source?.ToString() ?? "auto"}; preempts {i.Preempts} after {i.PreemptDelay}; accepts {i.Accepts}; {i.Checksum}; MAC {i.VirtualMac}
                {i.Announce}
                lease {i.Lease?.ToString() ?? "off"} gate {i.Gate?.ToString() ?? "off"} listen {i.Listen} probe {i.ConflictProbe} authentication {Write(i.Authentication)}

            """);
        foreach (object moving in (IEnumerable<object>)[.. i.Addresses, .. i.Routes, .. i.Rules])
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"    {moving}\n");
        foreach (Tracked tracked in i.Track)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"    {Write(tracked)}\n");
    }

    private static string Write(Tracked tracked) => tracked switch
    {
        TrackedScript s => $"{s with { Command = [] }} command [{string.Join(" | ", s.Command)}]",
        TrackedVirtualServers v => $"{v with { Names = [] }} of [{string.Join(", ", v.Names)}]",
        _ => $"{tracked}",
    };

    private static string Write(VrrpAuthentication? authentication) => authentication switch
    {
        null => "none",
        HmacAuthentication hmac => $"hmac [{string.Join(", ", hmac.Keys)}] active {hmac.ActiveKey} {hmac.Mode} window {hmac.Window}",
        _ => $"{authentication}",
    };
}
