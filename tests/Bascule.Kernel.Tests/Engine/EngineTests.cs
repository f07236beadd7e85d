using System.Net;
using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Config;
using Bascule.Core.Frames;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.Weights;
using Bascule.Kernel.Tests.Bpf;
using Bascule.Linux.Bpf;
using Bascule.Linux.Netlink;
using Bascule.Packets;
using Bascule.Packets.Xdp;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Kernel.Tests.Engine;

/// <summary>The engine on a real interface: attached, left behind, adopted, refused, taken off. Each test has a network namespace and a folder of its own.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly Tuple4 Client = new() { Source = Wire32.Of(IPAddress.Parse("198.51.100.7")), SourcePort = 4242, DestinationPort = 80, Protocol = 6 };
    private readonly string _folder = $"{BpfFileSystem.Usual}/bascule-kt-{Guid.NewGuid():N}";
    private readonly TestNetwork? _network = Kernel.WhyNot is null ? Cable() : null;

    public void Dispose()
    {
        if (_network is null)
            return;
        foreach (string folder in (string[])[_folder, $"{_folder}-other"])
            Detachment.Run(folder);
        _network.Dispose();
    }

    [KernelFact]
    public async Task Attaches_to_the_interface_and_forwards_to_the_real_server_s_next_hop()
    {
        await using PacketEngine engine = await StartedAsync(Dr());

        InterfaceStatus near = engine.Answers.Report().Status.Interfaces.Single();
        Assert.Equal(AttachMode.Native, near.Attached);
        Assert.NotEqual(0u, ProgramOnNear());
        Core.Api.Explanation told = engine.Answers.Explain(PacketText.Parse("tcp 198.51.100.7:4242 > 192.0.2.100:80", null, out _)!);
        Assert.Equal((PacketVerdict.Sent, "web", "192.0.2.11:80"), (told.Verdict, told.VirtualServer, told.RealServer));
        Assert.Equal(Mac.Parse("02:00:00:00:00:11").ToBytes(), told.Frame![..6]);
    }

    [KernelFact]
    public async Task Stays_when_the_daemon_ends_and_is_adopted_with_its_flows_by_the_next()
    {
        await using (PacketEngine first = await StartedAsync(Dr()))
        {
            using BpfMap<Tuple4, Flow> flows = BpfMap.OpenPinned<Tuple4, Flow>($"{_folder}/maps/flows4");
            flows.Set(Client, new() { Seen = Replication.Director.Now(), RealServer = 1, VirtualServer = 1, State = FlowState.Established });
        }

        uint left = ProgramOnNear();
        Assert.NotEqual(0u, left);

        await using PacketEngine second = await StartedAsync(Dr());

        Assert.Contains("earlier daemon", second.Answers.Report().Status.Interfaces.Single().Why, StringComparison.Ordinal);
        Assert.NotEqual(left, ProgramOnNear());
        using BpfMap<Tuple4, Flow> found = BpfMap.OpenPinned<Tuple4, Flow>($"{_folder}/maps/flows4");
        Assert.True(found.TryGet(Client, out Flow flow));
        Assert.Equal(1, flow.RealServer);
    }

    [KernelFact]
    public async Task A_second_daemon_is_refused_on_the_same_folder_and_on_the_same_interface()
    {
        await using PacketEngine first = await StartedAsync(Dr());

        await using PacketEngine sameInterface = Engine(Dr($"{_folder}-other"));
        Assert.Contains("another daemon has the packet datapath on near", Claimed(sameInterface), StringComparison.Ordinal);
        await using PacketEngine sameFolder = Engine(Dr(interfaceName: "far"));
        Assert.Contains($"another daemon has {_folder}", Claimed(sameFolder), StringComparison.Ordinal);
    }

    [KernelFact]
    public async Task Leaves_another_program_where_it_is_and_takes_tcx_beside_it()
    {
        using BpfObject small = Small.Load();
        using BpfProgram other = small.Program("say");
        using BpfLink link = _network!.Run(() => BpfLink.Attach(other, IndexOf("near"), AttachPoint.XdpNative));

        await using PacketEngine engine = await StartedAsync(Dr());

        InterfaceStatus near = engine.Answers.Report().Status.Interfaces.Single();
        Assert.Equal(AttachMode.Tcx, near.Attached);
        Assert.Contains($"say, id {other.Id}", near.Why, StringComparison.Ordinal);
        Assert.Equal(other.Id, ProgramOnNear());
    }

    [KernelFact]
    public async Task Is_refused_with_the_other_program_s_name_when_only_native_is_wanted()
    {
        using BpfObject small = Small.Load();
        using BpfProgram other = small.Program("say");
        using BpfLink link = _network!.Run(() => BpfLink.Attach(other, IndexOf("near"), AttachPoint.XdpNative));

        await using PacketEngine engine = await StartedAsync(Dr(attach: "native"));

        InterfaceStatus near = engine.Answers.Report().Status.Interfaces.Single();
        Assert.Null(near.Attached);
        Assert.Contains($"say, id {other.Id}", near.Why, StringComparison.Ordinal);
    }

    [KernelFact]
    public async Task Follows_a_next_hop_that_changes_its_mac()
    {
        await using PacketEngine engine = await StartedAsync(Dr());
        using BpfMap<uint, Packets.Xdp.RealServer> realServers = BpfMap.OpenPinned<uint, Packets.Xdp.RealServer>($"{_folder}/maps/real_servers");

        _network!.IpInside("neighbour replace 192.0.2.11 lladdr 02:00:00:00:00:22 dev near");

        await Eventually.HoldsAsync(() => realServers.TryGet(1, out Packets.Xdp.RealServer entry) && entry.MacDestination == Mac.Parse("02:00:00:00:00:22"));
    }

    [KernelFact]
    public async Task Attaches_again_to_an_interface_that_was_made_anew()
    {
        await using PacketEngine engine = await StartedAsync(Dr());

        _network!.IpInside("link delete near");
        _network.IpInside("link add near type veth peer name far");

        await Eventually.HoldsAsync(() => ProgramOnNear() != 0);
    }

    [KernelFact]
    public async Task Leaves_an_interface_that_the_file_does_not_name_any_more()
    {
        await using (await StartedAsync(Dr(interfaceName: "near, far")))
            Assert.NotEqual(0u, ProgramOn("far"));

        await using PacketEngine second = await StartedAsync(Dr());

        Assert.Equal(0u, ProgramOn("far"));
        Assert.NotEqual(0u, ProgramOnNear());
    }

    [KernelFact]
    public async Task Detaching_leaves_nothing_behind()
    {
        await using PacketEngine engine = await StartedAsync(Dr());

        DetachResult done = engine.Answers.Detach();

        Assert.Equal("near", Assert.Single(done.Interfaces));
        Assert.Empty(done.Problems);
        Assert.Equal(0u, ProgramOnNear());
        Assert.False(Directory.Exists($"{_folder}/maps"));
        Assert.Contains("detached", engine.Answers.Report().Status.Interfaces.Single().Why, StringComparison.Ordinal);
    }

    [KernelFact]
    public async Task A_weight_that_moves_reaches_the_maps_and_changes_the_choice()
    {
        Snapshot snapshot = Read(TwoChecked());
        await using PacketEngine engine = await StartedAsync(snapshot);
        (LiveRealServer one, LiveRealServer two) = (snapshot.VirtualServers[0].RealServers[0], snapshot.VirtualServers[0].RealServers[1]);
        Say(one, null);
        Say(two, null);
        using BpfMap<uint, Load> loads = BpfMap.OpenPinned<uint, Load>($"{_folder}/maps/loads");
        loads.Set(1, new() { Active = 2 });
        loads.Set(2, new() { Active = 1 });
        await Eventually.HoldsAsync(() => Chosen(engine) == "192.0.2.12:80", "with equal weights the one with fewer connections is chosen");

        Say(one, percent: 300);
        await Eventually.HoldsAsync(() => Chosen(engine) == "192.0.2.11:80", "three times the weight takes twice the connections");

        one.Share = SlowStart.Floor;
        await Eventually.HoldsAsync(() => Chosen(engine) == "192.0.2.12:80", "one that starts slowly is given little");
    }

    [KernelTheory]
    [InlineData(AdministrativeState.Drain)]
    [InlineData(AdministrativeState.Maintenance)]
    public async Task Who_is_taken_out_keeps_what_is_open_and_is_given_nothing_new(AdministrativeState state)
    {
        Snapshot snapshot = Read(TwoChecked());
        LiveRealServer one = snapshot.VirtualServers[0].RealServers[0];
        Say(one, null);
        Say(snapshot.VirtualServers[0].RealServers[1], null);
        await using PacketEngine engine = await StartedAsync(snapshot);
        using BpfMap<Tuple4, Flow> flows = BpfMap.OpenPinned<Tuple4, Flow>($"{_folder}/maps/flows4");
        flows.Set(Client with { Destination = Wire32.Of(IPAddress.Parse("192.0.2.100")) }, new() { Seen = Replication.Director.Now(), RealServer = 1, VirtualServer = 1, State = FlowState.Established });
        Assert.Equal("192.0.2.11:80", Chosen(engine));

        one.State = state;

        await Eventually.HoldsAsync(() => Chosen(engine) == "192.0.2.12:80", "new clients go elsewhere");
        Assert.Equal("192.0.2.11:80", Chosen(engine, port: 4242, flags: "ack"));
    }

    private static string? Chosen(PacketEngine engine, int port = 5000, string? flags = null) =>
        engine.Answers.Explain(PacketText.Parse($"tcp 198.51.100.7:{port} > 192.0.2.100:80", flags, out _)!).RealServer;

    private static void Say(LiveRealServer realServer, int? percent)
    {
        realServer.Health!.Apply(new(Passed: true, "agent", TimeSpan.Zero) { Weight = percent is { } value ? new(value, IsPercent: true) : null }, DateTimeOffset.UnixEpoch);
        realServer.Reweigh();
    }

    private string TwoChecked() => Dr()
        .Replace("scheduler: mh", "scheduler: wlc", StringComparison.Ordinal)
        .Replace("check: none", "check: agent", StringComparison.Ordinal)
        .Replace("[192.0.2.11]", "[192.0.2.11, 192.0.2.12]", StringComparison.Ordinal);

    private string Dr(string? folder = null, string attach = "auto", string interfaceName = "near") => $$"""
        packets: { interfaces: [{{interfaceName}}], attach: {{attach}}, state: {{folder ?? _folder}}, flows: 1024 }
        virtualServers:
          web:
            address: 192.0.2.100:80
            forward: dr
            scheduler: mh
            check: none
            realServers: [192.0.2.11]
        """;

    private Task<PacketEngine> StartedAsync(string text) => StartedAsync(Read(text));

    private async Task<PacketEngine> StartedAsync(Snapshot snapshot)
    {
        PacketEngine engine = Engine(snapshot);
        Assert.Null(Claimed(engine));
        Assert.Null(await _network!.Run(engine.StartAsync)); // its thread begins in the namespace, and so stays there
        return engine;
    }

    private static PacketEngine Engine(string text) => Engine(Read(text));

    private static PacketEngine Engine(Snapshot snapshot) =>
        new(snapshot.Configuration.Packets!, snapshot, RoleSet.Alone, snapshot.Configuration.Ha, TimeProvider.System, NullLoggerFactory.Instance);

    private static Snapshot Read(string text)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Assert.True(read.Meant is not null, string.Join("\n", read.Problems.Select(p => p.Format("test"))));
        return Snapshot.First(read.Meant, 1, new HealthBoard(TimeProvider.System));
    }

    private string? Claimed(PacketEngine engine) => _network!.Run(engine.Claim);

    private uint ProgramOnNear() => ProgramOn("near");

    private uint ProgramOn(string name) => _network!.Run(() => IndexOf(name) is var index and not 0 ? BpfLink.XdpProgramOn(index) : 0);

    private static int IndexOf(string name)
    {
        using Network here = new();
        return here.FindLink(name)?.Index ?? 0;
    }

    private static TestNetwork Cable() => new(
        "link add near type veth peer name far",
        "address add 192.0.2.1/24 dev near",
        "address add 192.0.2.100/32 dev near",
        "link set near up",
        "link set far up",
        "neighbour add 192.0.2.11 lladdr 02:00:00:00:00:11 dev near",
        "neighbour add 192.0.2.12 lladdr 02:00:00:00:00:12 dev near");
}
