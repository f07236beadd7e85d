using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Roles;

namespace Bascule.Testing;

/// <summary>Directors of a pair, for engines that only care which addresses are theirs. Compiled into the tests that use it.</summary>
internal static class Pairs
{
    /// <summary>An instance with these addresses, and everything else as usual.</summary>
    public static HaInstance Instance(params string[] addresses) => new()
    {
        Name = "web-vip",
        Interface = "eth0",
        VirtualRouterId = 51,
        Priority = 100,
        Version = VrrpVersion.V3,
        AdvertInterval = TimeSpan.FromSeconds(1),
        MissedAdvertisements = 3,
        Addresses = [.. addresses.Select(a => new VirtualAddress(IPAddress.Parse(a), 32))],
        Preempts = true,
        PreemptDelay = TimeSpan.Zero,
        Accepts = true,
        Checksum = ChecksumForm.PseudoHeader,
        VirtualMac = false,
        Announce = new(5, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60)),
        Lease = null,
        Listen = ListenWhen.Always,
        ConflictProbe = TimeSpan.Zero,
    };

    /// <summary>What a director with these instances is told.</summary>
    public static HaSettings Settings(params HaInstance[] instances) => new()
    {
        Instances = [.. instances],
        Port = 8112,
        BackupCheckInterval = TimeSpan.FromSeconds(30),
        HandoverTimeout = TimeSpan.FromSeconds(1),
        StateFolder = "/nowhere",
        SharesConfiguration = false,
        RealtimePriority = 0,
    };

    /// <summary>It is Active for all of these instances, or for none.</summary>
    public static RoleSet Roles(long version, bool isActive, params HaInstance[] instances) => new(version, isActive ? [] : instances);
}
