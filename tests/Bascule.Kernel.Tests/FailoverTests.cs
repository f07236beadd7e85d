using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
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

    [KernelFact]
    public async Task With_a_virtual_mac_advertisements_are_heard_and_the_address_is_on_its_interface()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartAsync(Web(priority: 150) with { VirtualMac = true });
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartAsync(Web(priority: 100) with { VirtualMac = true });

        await weak.HearsAsync();

        Assert.Equal(Role.Backup, weak.Web.Role);
        Assert.Contains("192.0.2.10/24", pair.Near.Network.Ask("ip", "address", "show", "vrrp.51.4"), StringComparison.Ordinal);
        await strong.StopAsync();
        await weak.IsAsync(Role.Active);
        Assert.DoesNotContain("vrrp.51.4", pair.Near.Network.Ask("ip", "link"), StringComparison.Ordinal);
    }

    [KernelFact]
    public async Task The_virtual_mac_comes_back_with_an_interface_that_was_made_anew()
    {
        await using Pair pair = new();
        await using Machine machine = await pair.Near.StartAsync(Web(priority: 150) with { VirtualMac = true });
        await machine.IsAsync(Role.Active);

        pair.Near.Network.IpInside("link delete cable");
        await machine.IsAsync(Role.Initialize);
        pair.Connect();
        await machine.IsAsync(Role.Active);

        Assert.Contains("192.0.2.10/24", pair.Near.Network.Ask("ip", "address", "show", "vrrp.51.4"), StringComparison.Ordinal);
    }

    [KernelFact]
    public async Task Who_else_has_the_address_is_a_warning()
    {
        await using Pair pair = new();
        await using Machine machine = await pair.Near.StartAsync(Web(priority: 150) with { ConflictProbe = TimeSpan.FromMilliseconds(200) });
        await machine.IsAsync(Role.Active);
        Assert.Empty(machine.Status.Warnings);

        pair.Far.Network.IpInside("address add 192.0.2.10/24 dev cable");

        await machine.SeesAsync(_ => machine.IsWarning("web: 192.0.2.10 is also held by "));
    }

    [KernelFact]
    public async Task Peers_hear_each_other_s_heartbeats_and_roles()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartWithPeerAsync(Web(priority: 150));
        await using Machine weak = await pair.Far.StartWithPeerAsync(Web(priority: 100));

        await strong.IsAsync(Role.Active);
        await weak.SeesAsync(_ => weak.Status.Peers[0] is { IsHeard: true, Links: [{ IsHeard: true, HearsUs: true, Rejected: 0 }], Roles: [{ Role: Role.Active, Priority: 150 }] });
        await strong.SeesAsync(_ => strong.Status.Peers[0].Roles is [{ Instance: "web", Role: Role.Backup }]);
    }

    [KernelFact]
    public async Task A_second_one_on_the_same_machine_ends_and_takes_nothing_from_the_first()
    {
        await using Pair pair = new();
        await using Machine first = await pair.Near.StartWithPeerAsync(Web(priority: 150));
        await first.IsAsync(Role.Active);

        await Assert.ThrowsAsync<KernelException>(() => pair.Near.StartWithPeerAsync(Web(priority: 150)));

        Assert.True(first.Has(Vip));
        Assert.Equal(TransitionReason.Silence, first.Web.Reason);
    }

    [KernelFact]
    public async Task A_peer_that_is_silent_or_has_another_key_and_a_link_that_is_out_are_warnings()
    {
        await using Pair pair = new();
        pair.Near.Network.IpInside("address add 198.51.100.1/24 dev cable");
        pair.Far.Network.IpInside("address add 198.51.100.2/24 dev cable");
        await using Machine near = await pair.Near.StartWithPeerOnTwoLinksAsync(Web(priority: 150));
        await near.SeesAsync(_ => near.IsWarning("director-2 is not heard: "));
        await using (Machine stranger = await pair.Far.StartWithPeerOnTwoLinksAsync(Web(priority: 100), key: 1))
            await near.SeesAsync(_ => near.IsWarning("director-2 is not understood: "));
        await using Machine far = await pair.Far.StartWithPeerOnTwoLinksAsync(Web(priority: 100));
        await near.SeesAsync(_ => near.Status.Warnings.IsEmpty);

        pair.Far.Network.IpInside("address delete 198.51.100.2/24 dev cable");

        await near.SeesAsync(_ => near.IsWarning("director-2 is not heard over 198.51.100.2, "));
    }

    [KernelFact]
    public async Task A_heartbeat_over_another_link_keeps_the_backup_quiet_when_advertisements_are_lost()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartWithPeerAsync(Web(priority: 150));
        await strong.IsAsync(Role.Active);
        // Nobody listens at that address: the advertisements get lost, heartbeats do not.
        await using Machine weak = await pair.Far.StartWithPeerAsync(Web(priority: 100) with { Unicast = [IPAddress.Parse("192.0.2.77")] });

        await weak.SeesAsync(_ => weak.Status.Peers[0].IsHeard);
        long sent = strong.Web.Counters.Sent;
        await strong.SeesAsync(web => web.Counters.Sent > sent + 20);

        Assert.Equal(Role.Backup, weak.Web.Role);
    }

    [KernelFact]
    public async Task A_sync_group_moves_together()
    {
        await using Pair pair = new();
        HaInstance other = Web(priority: 150) with { Name = "other", VirtualRouterId = 52, Addresses = [new(IPAddress.Parse("192.0.2.20"), 24)] };
        await using Machine near = await pair.Near.StartAsync(Web(priority: 150), other with { Interface = "second" });
        await near.SeesAsync(_ => near.Status.Instances[1].Role == Role.Initialize);
        await near.IsAsync(Role.Active);
        await near.StopAsync();

        await using Machine grouped = await pair.Near.StartGroupAsync(Web(priority: 150), other with { Interface = "second" });
        await grouped.SeesAsync(_ => grouped.Status.Instances is [{ Role: Role.Initialize }, { Role: Role.Initialize }]);
        pair.Near.Network.IpInside("link add second type veth peer name end");
        pair.Near.Network.IpInside("link set end up");
        pair.Near.Network.IpInside("address add 198.51.100.1/24 dev second");
        pair.Near.Network.IpInside("link set second up");

        await grouped.SeesAsync(_ => grouped.Status.Instances is [{ Role: Role.Active }, { Role: Role.Active }]);
    }

    [KernelFact]
    public async Task Handing_over_makes_the_weaker_one_active_and_it_stays_so()
    {
        await using Pair pair = new();
        await using Machine strong = await pair.Near.StartWithPeerAsync(Web(priority: 150));
        await strong.IsAsync(Role.Active);
        await using Machine weak = await pair.Far.StartWithPeerAsync(Web(priority: 100));
        await weak.HearsAsync();

        string[] moved = await strong.Engine.HandOverAsync("web");

        Assert.Equal(["web"], moved);
        await weak.IsAsync(Role.Active);
        long sent = weak.Web.Counters.Sent;
        await weak.SeesAsync(web => web.Counters.Sent > sent + 10);
        Assert.Equal(Role.Backup, strong.Web.Role);
        Assert.Equal(TransitionReason.HandedOver, strong.Web.Reason);
    }

    [KernelFact]
    public async Task Another_priority_counts_at_once_and_what_would_change_a_role_by_itself_is_refused()
    {
        await using Pair pair = new();
        await using Machine near = await pair.Near.StartAsync(Web(priority: 150));
        await near.IsAsync(Role.Active);
        await using Machine far = await pair.Far.StartAsync(Web(priority: 100));
        await far.HearsAsync();
        HaSettings before = far.Engine.Settings;

        Assert.True(far.Engine.TryApply(before));
        Assert.False(far.Engine.TryApply(before with { Instances = [Web(priority: 100) with { VirtualRouterId = 52 }] }));
        Assert.False(far.Engine.TryApply(before with { Instances = [Web(priority: 255)] }));
        Assert.Equal((Role.Backup, 1), (far.Web.Role, far.Web.Transitions.Length));
        Assert.True(far.Engine.TryApply(before with { Instances = [Web(priority: 200)] }));

        await far.IsAsync(Role.Active);
        Assert.Equal(TransitionReason.Preempted, far.Web.Reason);
        Assert.Equal((200, 200), (far.Web.ConfiguredPriority, far.Web.Priority));
        await near.IsAsync(Role.Backup);
    }

    [KernelFact]
    public async Task A_thousand_turns_allocate_nothing()
    {
        await using Pair pair = new();
        // Late enough that a busy machine changes no role.
        HaInstance leased = Web(priority: 150) with { Lease = TimeSpan.FromSeconds(1), MissedAdvertisements = 20 };
        HaInstance other = leased with { Name = "other", VirtualRouterId = 52, Addresses = [new(IPAddress.Parse("192.0.2.20"), 24)] };
        await using Machine strong = await pair.Near.StartWithPeerAsync(leased, other with { Priority = 50 });
        await using Machine weak = await pair.Far.StartWithPeerAsync(leased with { Priority = 100 }, other with { Priority = 200 });
        await strong.SeesAsync(_ => strong.Status.Instances is [{ Role: Role.Active }, { Role: Role.Backup }] && strong.Status.Peers[0].IsHeard);

        // The kernel may have news of the new cables meanwhile, such as that their IPv6 addresses are nobody else's: then once more.
        (long turns, long bytes) = await MeasureAsync(strong);
        for (int again = 0; again < 3 && bytes >= QuestionsBytes; again++)
            (turns, bytes) = await MeasureAsync(strong);

        Assert.True(bytes < QuestionsBytes, $"{bytes} bytes in {turns} turns");
    }

    /// <summary>The questions themselves allocate their answers.</summary>
    private const int QuestionsBytes = 2_000;

    private static async Task<(long Turns, long Bytes)> MeasureAsync(Machine machine)
    {
        (long turns, long bytes) = await machine.Engine.AskAsync(loop => (loop.Turns, GC.GetAllocatedBytesForCurrentThread()));
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            (long later, long sofar) = await machine.Engine.AskAsync(loop => (loop.Turns, GC.GetAllocatedBytesForCurrentThread()));
            if (later - turns >= 1_000)
                return (later - turns, sofar - bytes);
        }
    }

    private static readonly SecretSource Key = new GivenSecret(new string('0', 64));

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
            Connect();
        }

        public Place Near { get; }

        public Place Far { get; }

        public void Connect()
        {
            Near.Network.IpInside($"link add cable type veth peer name cable netns {Far.Network.Name}");
            Near.Plug();
            Far.Plug();
        }

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

        public Task<Machine> StartAsync(params HaInstance[] instances) => StartAsync(null, instances);

        /// <summary>With heartbeats to the other one.</summary>
        public Task<Machine> StartWithPeerAsync(params HaInstance[] instances)
        {
            string other = address == "192.0.2.1" ? "192.0.2.2" : "192.0.2.1";
            return StartAsync(new HaPeer($"director-{other[^1]}", [IPAddress.Parse(other)], Key), instances);
        }

        /// <summary>With heartbeats to the other one over a second network as well.</summary>
        /// <param name="key">What its key consists of.</param>
        public Task<Machine> StartWithPeerOnTwoLinksAsync(HaInstance instance, byte key = 0)
        {
            char other = address == "192.0.2.1" ? '2' : '1';
            HaPeer peer = new($"director-{other}", [IPAddress.Parse($"192.0.2.{other}"), IPAddress.Parse($"198.51.100.{other}")], Key);
            return StartAsync(new Machine(Network, $"director-{address[^1]}", peer, [instance], [], key));
        }

        /// <summary>All in one sync group.</summary>
        public Task<Machine> StartGroupAsync(params HaInstance[] instances) => StartAsync(null, instances, new SyncGroup("all", [.. instances.Select(i => i.Name)]));

        private Task<Machine> StartAsync(HaPeer? peer, HaInstance[] instances, params SyncGroup[] groups) =>
            StartAsync(new Machine(Network, $"director-{address[^1]}", peer, instances, groups));

        private async Task<Machine> StartAsync(Machine machine)
        {
            try
            {
                await Network.Run(machine.Engine.StartAsync); // its thread begins where this one is
                return machine;
            }
            catch
            {
                await machine.DisposeAsync();
                throw;
            }
        }
    }

    private sealed class Machine : IAsyncDisposable
    {
        private readonly TestNetwork _network;
        private bool _isStopped;

        public Machine(TestNetwork network, string node, HaPeer? peer, HaInstance[] instances, SyncGroup[] groups, byte key = 0)
        {
            _network = network;
            HaSettings settings = new()
            {
                Instances = [.. instances],
                SyncGroups = [.. groups],
                Peers = peer is null ? [] : [peer],
                Port = 8112,
                HeartbeatInterval = TimeSpan.FromMilliseconds(5),
                BackupCheckInterval = TimeSpan.FromSeconds(10),
                HandoverTimeout = TimeSpan.FromSeconds(1),
                StateFolder = "/nowhere",
                SharesConfiguration = false,
                RealtimePriority = 0,
            };
            Board = new(new(0, settings.Instances));
            Engine = new(settings, new(node, new Dictionary<SecretSource, byte[]> { [Key] = [.. Enumerable.Repeat(key, 32)] }, Board, () => throw new NotSupportedException()),
                new BootTime(), new Random(node[^1]), NullLogger<VrrpEngine>.Instance);
        }

        public VrrpEngine Engine { get; }

        public RoleBoard Board { get; }

        public HaStatus Status => Engine.StatusAsync().GetAwaiter().GetResult();

        public InstanceStatus Web => Status.Instances[0];

        public bool IsWarning(string beginning) => Status.Warnings.Any(warning => warning.StartsWith(beginning, StringComparison.Ordinal));

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
