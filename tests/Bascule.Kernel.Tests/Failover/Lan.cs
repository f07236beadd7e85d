using System.Net;
using Bascule.Core.Model;
using Bascule.Linux.Netlink;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>A director and a client on one bridge, each in a namespace of its own: eth0 on both sides, 192.0.2.1/24 and 192.0.2.99/24, and the same in IPv6.</summary>
internal sealed class Lan : IDisposable
{
    public const string DirectorMac = "02:00:00:00:00:01", ClientMac = "02:00:00:00:00:99", ThirdMac = "02:00:00:00:00:03";

    private readonly TestNetwork _switch = new("link add br0 type bridge", "link set br0 up");

    public Lan()
    {
        Director = Plug("port-a", DirectorMac, 1);
        Client = Plug("port-b", ClientMac, 99);
    }

    public TestNetwork Director { get; }

    public TestNetwork Client { get; }

    public TestNetwork Switch => _switch;

    /// <summary>Another machine on the bridge.</summary>
    public TestNetwork Plug(string port, string mac, int number)
    {
        TestNetwork host = new("link set lo up");
        _switch.IpInside($"link add {port} type veth peer name eth0 address {mac} netns {host.Name}");
        _switch.IpInside($"link set {port} master br0 up");
        host.IpInside($"address add 192.0.2.{number}/24 dev eth0");
        host.IpInside($"address add 2001:db8::{number}/64 dev eth0 nodad");
        host.IpInside("link set eth0 up");
        return host;
    }

    /// <summary>An instance on the director's eth0 with 192.0.2.10/24, unless said otherwise.</summary>
    public static HaInstance Instance(params VirtualAddress[] addresses) => new()
    {
        Name = "web",
        Interface = "eth0",
        VirtualRouterId = 51,
        Priority = 100,
        Version = VrrpVersion.V3,
        AdvertInterval = TimeSpan.FromMilliseconds(100),
        MissedAdvertisements = 3,
        Addresses = addresses.Length > 0 ? [.. addresses] : [new(IPAddress.Parse("192.0.2.10"), 24)],
        Preempts = true,
        PreemptDelay = TimeSpan.Zero,
        Accepts = true,
        Checksum = ChecksumForm.PseudoHeader,
        VirtualMac = false,
        Announce = new(Repeat: 3, Delay: TimeSpan.Zero, Refresh: TimeSpan.Zero),
        Lease = TimeSpan.FromSeconds(1),
        Listen = ListenWhen.Always,
        ConflictProbe = TimeSpan.Zero,
    };

    /// <summary>Runs some work in the director's namespace.</summary>
    public void AsDirector(Action work) => Director.Run(() =>
    {
        work();
        return 0;
    });

    /// <summary>The address, as the kernel of this namespace has it; null: not at all.</summary>
    public static AssignedAddress? Find(Network network, string address) =>
        network.AssignedAddresses().FirstOrDefault(assigned => assigned.Address.Address.Equals(IPAddress.Parse(address)));

    public void Dispose()
    {
        Director.Dispose();
        Client.Dispose();
        _switch.Dispose();
    }
}

/// <summary>Time since it was made, as the keeper is given it.</summary>
internal sealed class Watch
{
    private readonly long _begun = TimeProvider.System.GetTimestamp();

    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_begun);
}
