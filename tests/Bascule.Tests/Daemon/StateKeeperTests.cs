using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Config;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Daemon;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Tests.Daemon;

public sealed class StateKeeperTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-states-").FullName;
    private readonly List<Notification> _told = [];
    private SnapshotHolder? _snapshots;

    private string File => Path.Combine(_folder, "state.json");

    private AdministrativeState InForce => _snapshots!.Current.VirtualServers[0].RealServers[0].State;

    [Fact]
    public void What_the_file_overrules_while_the_daemon_is_stopped_does_not_come_back()
    {
        Say(Start("enable"), AdministrativeState.Drain);

        Start("maintenance");
        Assert.Equal(AdministrativeState.Maintenance, InForce);
        Start("enable");
        Assert.Equal(AdministrativeState.Enabled, InForce);
    }

    [Fact]
    public void Each_change_is_told_once_and_the_last_that_is_told_is_in_force()
    {
        StateKeeper keeper = Start("enable");
        Parallel.For(0, 4, worker =>
        {
            for (int i = 0; i < 25; i++)
                Say(keeper, (AdministrativeState)((worker + i) % 3));
        });

        Assert.All(_told.Zip(_told.Skip(1)), pair => Assert.NotEqual(pair.First.State, pair.Second.State));
        Assert.Equal(InForce.Word(), _told[^1].State);
    }

    [Fact]
    public void A_state_file_that_cannot_be_read_is_kept_before_another_takes_its_place()
    {
        System.IO.File.CreateSymbolicLink(File, "/proc/self/mem"); // even root reads nothing at its beginning

        StateKeeper keeper = Start("enable");
        Assert.True(Path.Exists(File));
        Say(keeper, AdministrativeState.Drain);

        Assert.Equal("/proc/self/mem", new FileInfo($"{File}.unreadable").LinkTarget);
        Assert.Contains("\"drain\"", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A daemon that starts with a file that says this of web.</summary>
    private StateKeeper Start(string state)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes($$"""
            virtualServers: { web: { address: 127.0.0.1:80, state: {{state}}, check: none, realServers: [127.0.0.1:81] } }
            """));
        Assert.Empty(read.Problems);
        ManualClock clock = new();
        _snapshots = new(Snapshot.First(read.Meant!, 1, new HealthBoard(clock)));
        return new(File, _snapshots, _told.Add, clock, NullLogger.Instance);
    }

    private static void Say(StateKeeper keeper, AdministrativeState state) =>
        Assert.Null(keeper.Say(new StateRequest { Names = ["web"], State = state, By = "anna" }).Refusal);

}
