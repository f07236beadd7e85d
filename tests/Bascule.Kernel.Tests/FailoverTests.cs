using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux.Netlink;
using Bascule.Linux.Process;
using Bascule.Vrrp.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Kernel.Tests;

/// <summary>Two directors, each in a namespace of its own, on one cable.</summary>
public sealed class FailoverTests
{
    private static readonly IPAddress Vip = IPAddress.Parse("192.0.2.10");
    private static readonly IPAddress Vip6 = IPAddress.Parse("2001:db8::10");

    [KernelFact]
    public async Task The_stronger_of_two_takes_the_address_and_the_other_one_has_it_after_a_goodbye()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web(priority: 150));
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartAsync(Web(priority: 100));

        await weak.HearsAsync();
        Assert.True(strong.Has(Vip));
        Assert.False(weak.Has(Vip));
        Assert.True(strong.Board.Current.Serves(Vip));
        Assert.False(weak.Board.Current.Serves(Vip));
        await strong.StopAsync();

        await weak.IsAsync(Role.Active);
        Assert.Equal(TransitionReason.Goodbye, weak.Web.Reason);
        Assert.True(weak.Has(Vip));
        Assert.False(strong.Has(Vip));
    }

    [KernelFact]
    public async Task A_cable_that_is_out_makes_the_backup_active_and_the_other_one_gives_way()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web(priority: 150));
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartAsync(Web(priority: 100) with { Preempts = false });
        await weak.HearsAsync();

        pair.Near.Network.IpInside("link set cable down");
        await strong.IsAsync(Role.Initialize);

        Assert.Equal("interface cable is down", strong.Web.Why);
        Assert.False(strong.Has(Vip));
    }

    [KernelFact]
    public async Task Unicast_peers_hear_each_other_and_nobody_else()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web(priority: 150) with { Unicast = [IPAddress.Parse("192.0.2.2")] });
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartAsync(Web(priority: 100) with { Unicast = [IPAddress.Parse("192.0.2.1")] });

        await weak.HearsAsync();

        Assert.Equal(Role.Backup, weak.Web.Role);
        Assert.Empty(weak.Web.Counters.Rejected);
    }

    [KernelFact]
    public async Task Who_is_no_peer_is_not_heard()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web(priority: 150) with { Unicast = [IPAddress.Parse("192.0.2.2")] });
        await using Machine weak = await pair.Far.StartAsync(Web(priority: 100) with { Unicast = [IPAddress.Parse("192.0.2.9")] });

        await weak.SeesAsync(web => web.Counters.Rejected.GetValueOrDefault("notFromPeer") > 3 && web.Role == Role.Active);
    }

    [KernelFact]
    public async Task Over_IPv6_as_well()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web6(priority: 150));
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartAsync(Web6(priority: 100));

        await weak.HearsAsync();
        Assert.True(strong.Has(Vip6));
        await strong.StopAsync();

        await weak.IsAsync(Role.Active);
        Assert.Equal(TransitionReason.Goodbye, weak.Web.Reason);
        Assert.True(weak.Has(Vip6));
    }

    private static HaInstance Web6(byte priority) => Web(priority) with { Addresses = [new(IPAddress.Parse("fe80::10"), 64), new(Vip6, 64)] };

    private static HaInstance Web(byte priority) => new()
    {
        Name = "web",
        Interface = "cable",
        VirtualRouterId = 51,
        Priority = priority,
        Version = VrrpVersion.V3,
        AdvertInterval = TimeSpan.FromMilliseconds(50),
        MissedAdvertisements = 3,
        Addresses = [new(Vip, 24)],
        Preempts = true,
        PreemptDelay = TimeSpan.Zero,
        Accepts = true,
        Checksum = ChecksumForm.PseudoHeader,
        VirtualMac = false,
        Announce = new(Repeat: 2, Delay: TimeSpan.Zero, Refresh: TimeSpan.Zero),
        Lease = null,
        Listen = ListenWhen.Always,
        ConflictProbe = TimeSpan.Zero,
    };

    /// <summary>Two machines and the cable between them.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        public Pair()
        {
            Near = new("192.0.2.1");
            Far = new("192.0.2.2");
            Near.Network.IpInside($"link add cable type veth peer name cable netns {Far.Network.Name}");
            Near.Plug();
            Far.Plug();
        }

        public Place Near { get; }

        public Place Far { get; }

        public ValueTask DisposeAsync()
        {
            Near.Network.Dispose();
            Far.Network.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Place(string address)
    {
        public TestNetwork Network { get; } = new();

        public void Plug()
        {
            Network.IpInside($"address add {address}/24 dev cable");
            Network.IpInside("link set cable addrgenmode none");
            Network.IpInside($"address add fe80::{address[^1]}/64 dev cable nodad");
            Network.IpInside("link set cable up");
        }

        public async Task<Machine> StartAsync(HaInstance instance)
        {
            Machine machine = new(Network, instance);
            await Network.Run(machine.Engine.StartAsync); // its thread begins where this one is
            return machine;
        }
    }

    private sealed class Machine : IAsyncDisposable
    {
        private readonly TestNetwork _network;
        private bool _isStopped;

        public Machine(TestNetwork network, HaInstance instance)
        {
            _network = network;
            HaSettings settings = new()
            {
                Instances = [instance],
                Port = 8112,
                BackupCheckInterval = TimeSpan.FromSeconds(10),
                HandoverTimeout = TimeSpan.FromSeconds(1),
                StateFolder = "/nowhere",
                SharesConfiguration = false,
                RealtimePriority = 0,
            };
            Board = new(new(0, settings.Instances));
            Engine = new(settings, "director", Board, new BootTime(), NullLogger<VrrpEngine>.Instance);
        }

        public VrrpEngine Engine { get; }

        public RoleBoard Board { get; }

        public InstanceStatus Web => Engine.Status().Instances[0];

        public bool Has(IPAddress address) => _network.Run(() =>
        {
            using Network here = new();
            return here.Addresses().Any(a => a.Address.Equals(address));
        });

        public Task IsAsync(Role role) => SeesAsync(web => web.Role == role);

        public Task HearsAsync() => SeesAsync(web => web.Counters.Received > 2);

        public async Task SeesAsync(Func<InstanceStatus, bool> what)
        {
            for (int i = 0; !what(Web); i++)
            {
                Assert.True(i < 1000, $"what should have come true did not: {Web}");
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }
        }

        public async Task StopAsync()
        {
            if (!_isStopped)
                await Engine.DisposeAsync();
            _isStopped = true;
        }

        public async ValueTask DisposeAsync() => await StopAsync();
    }
}
