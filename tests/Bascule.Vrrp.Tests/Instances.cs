using System.Net;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Tests;

/// <summary>Instances with nothing remarkable about them.</summary>
internal static class Instances
{
    public static HaInstance Named(string name) => new()
    {
        Name = name,
        Interface = "eth0",
        VirtualRouterId = 51,
        Priority = 128,
        Version = VrrpVersion.V3,
        AdvertInterval = TimeSpan.FromMilliseconds(100),
        MissedAdvertisements = 3,
        Addresses = [new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24)],
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
}
