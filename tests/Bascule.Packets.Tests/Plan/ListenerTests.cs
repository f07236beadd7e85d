using System.Net;
using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Packets.Plan;
using Bascule.Packets.Replication;
using Bascule.Packets.Xdp;
using Bascule.Testing;

namespace Bascule.Packets.Tests.Plan;

/// <summary>One virtual server under several keys.</summary>
public class ListenerTests
{
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);
    private static readonly ServiceKey Plain = new(IPAddress.Parse("192.0.2.10"), 80, 6);
    private static readonly ServiceKey Secure = new(IPAddress.Parse("192.0.2.10"), 443, 6);
    private static readonly ServiceKey Second = new(IPAddress.Parse("192.0.2.11"), 80, 6);
    private readonly Planner _planner = new();
    private Snapshot? _snapshot;

    [Fact]
    public void All_addresses_lead_to_one_virtual_server()
    {
        PacketPlan plan = Plan(Web("192.0.2.10:80, 192.0.2.10:443, 192.0.2.11:8000-8002"));

        ushort id = plan.Services[Plain];
        Assert.Equal([80, 443, 8000, 8001, 8002], plan.Services.Where(s => s.Value == id && !s.Key.IsEcho).Select(s => s.Key.Port).Order());
        Assert.Equal(2, plan.Services.Count(s => s.Key.IsEcho));
        Assert.Single(plan.VirtualServers);
        Assert.Equal(2, plan.RealServers.Count);
    }

    [Fact]
    public void The_virtual_server_keeps_its_numbers_as_long_as_it_keeps_an_address()
    {
        ushort id = Plan(Web("192.0.2.10:80, 192.0.2.10:443")).Services[Plain];

        PacketPlan other = Plan(Web("192.0.2.11:80, 192.0.2.10:443"));

        Assert.Equal(id, other.Services[Second]);
        Assert.Equal(id, other.Services[Secure]);
        Assert.False(other.Services.ContainsKey(Plain));
        Assert.DoesNotContain(other.RealServers.Values, r => r.Flags.HasFlag(RealServerFlag.Gone));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_address_that_moves_to_another_virtual_server_takes_nothing_along_wherever_that_is_written(bool isAbove)
    {
        const string Pay = """

              pay:
                address: 192.0.2.10:443
                forward: dr
                check: none
                realServers: [10.0.0.21]
            """;
        ushort id = Plan(Web("192.0.2.10:80, 192.0.2.10:443")).Services[Plain];

        string web = Web("192.0.2.10:80");
        PacketPlan divided = Plan(isAbove ? web.Replace("virtualServers:", $"virtualServers:{Pay}", StringComparison.Ordinal) : web + Pay);

        Assert.Equal(id, divided.Services[Plain]);
        Assert.NotEqual(id, divided.Services[Secure]);
        Assert.Equal(divided.Services[Secure], _planner.IdOf(Secure));
    }

    [Fact]
    public void An_address_that_was_given_up_leads_nobody_to_its_old_numbers()
    {
        ushort id = Plan(Web("192.0.2.10:80, 192.0.2.10:443")).Services[Plain];
        Plan(Web("192.0.2.10:80"));

        PacketPlan other = Plan(Web("192.0.2.10:443").Replace("web:", "pay:", StringComparison.Ordinal));

        Assert.NotEqual(id, other.Services[Secure]);
    }

    [Fact]
    public void A_virtual_server_keeps_its_numbers_when_it_is_renamed()
    {
        ushort id = Plan(Web("192.0.2.10:80")).Services[Plain];

        PacketPlan renamed = Plan(Web("192.0.2.10:80").Replace("web:", "shop:", StringComparison.Ordinal));

        Assert.Equal(id, renamed.Services[Plain]);
    }

    [Fact]
    public void Only_what_is_ours_is_taken_of_addresses_in_different_instances()
    {
        HaInstance elsewhere = Pairs.Instance("192.0.2.11") with { Listen = ListenWhen.Active };

        PacketPlan plan = Plan(Web("192.0.2.10:80, 192.0.2.11:80"), Pairs.Roles(1, isActive: false, elsewhere));

        Assert.True(plan.Services.ContainsKey(Plain));
        Assert.False(plan.Services.ContainsKey(Second));
        Assert.NotNull(_planner.IdOf(Second));
    }

    [Fact]
    public void What_an_earlier_daemon_left_goes_on_under_its_numbers()
    {
        string web = Web("192.0.2.10:80, 192.0.2.10:443");
        PacketPlan left = Plan(web);
        Planner next = new();

        next.Adopt(left, Noon);
        PacketPlan again = next.Next(_snapshot!.OnDatapath, Surroundings.Unknown, RoleSet.Alone, Noon);

        Assert.Empty(PlanDifference.Between(left, again));
    }

    [Fact]
    public void More_addresses_than_the_kernel_has_room_for_are_said_and_not_served()
    {
        string ranges = string.Join(", ", Enumerable.Range(0, 63).Select(i => $"192.0.2.10:{1 + (1024 * i)}-{1024 * (i + 1)}"));

        Plan($"{Web(ranges)}\n  late: {{ address: 192.0.2.12:1-1024, forward: dr, check: none, realServers: [10.0.0.11] }}");

        Assert.Equal("late is not served: the packet datapath takes at most 65536 addresses with ports in all", Assert.Single(_planner.Problems));
    }

    [Theory]
    [InlineData("192.0.2.10", 80)]
    [InlineData("192.0.2.10", 8050)]
    [InlineData("192.0.2.11", 4711)]
    public void The_other_director_knows_a_real_server_by_whichever_address_the_client_asked_for(string address, int port)
    {
        PacketPlan plan = Plan(Web("192.0.2.10:80, 192.0.2.10:8000-8099, \"192.0.2.11:*\""));
        ReplicaNames ours = ReplicaNames.Of(_snapshot!.OnDatapath, _planner, new Dictionary<IPAddress, VirtualLink>());
        Plan(Web("\"192.0.2.11:*\", 192.0.2.10:8000-8099, 192.0.2.10:80")); // the same in another order
        ReplicaNames theirs = ReplicaNames.Of(_snapshot!.OnDatapath, _planner, new Dictionary<IPAddress, VirtualLink>());
        ushort realServer = plan.RealServers.Keys.Min();
        RealServerKey named = ours.KeyOf(realServer)!.Value;

        ServiceKey found = ours.KeyFor(IPAddress.Parse(address), port, named.Service);

        Assert.Equal(new(IPAddress.Parse(address), address == "192.0.2.11" ? 0 : port, 6), found);
        Assert.Equal(realServer, theirs.Find(named with { Service = found })!.Value.Id);
        Assert.Equal(realServer, theirs.Find(named)!.Value.Id);
    }

    private static string Web(string addresses) => $$"""
        packets: { interfaces: [eth0] }
        virtualServers:
          web:
            addresses: [{{addresses}}]
            forward: dr
            scheduler: wlc
            persistence: { by: source }
            check: none
            realServers: [10.0.0.11, 10.0.0.12]
        """;

    private PacketPlan Plan(string text, RoleSet? roles = null)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Assert.True(read.Meant is not null, string.Join("\n", read.Problems.Select(p => p.Format("test"))));
        HealthBoard board = new(TimeProvider.System);
        _snapshot = _snapshot is null ? Snapshot.First(read.Meant, 1, board) : _snapshot.Next(read.Meant, board);
        new SnapshotHolder(_snapshot).Publish(_snapshot);
        return _planner.Next(_snapshot.OnDatapath, Surroundings.Unknown, roles ?? RoleSet.Alone, Noon);
    }
}
