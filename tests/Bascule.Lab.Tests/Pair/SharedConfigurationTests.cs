using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Config.Sharing;
using Bascule.Testing;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Two directors that share their configuration, as processes with files, a network between them, and commands.</summary>
[Collection("Pair")]
public sealed class SharedConfigurationTests(PairFixture lab) : IAsyncLifetime
{
    private readonly List<PairDirector> _directors = [];

    [PairFact]
    public async Task A_change_on_one_is_made_on_both_and_each_keeps_its_own_part_and_comments()
    {
        (PairDirector one, PairDirector two) = await StartAsync();
        string[] ownOfTwo = OwnLines(two);

        ReloadResult changed = await ChangeAsync(one, "scheduler: lc");

        Assert.True(changed.Applied, Lines(changed));
        Assert.DoesNotContain(changed.Warnings, w => w.Contains("director-2", StringComparison.Ordinal));
        Assert.Contains("# director-1 says so\n  web: { scheduler: lc,", File.ReadAllText(two.ConfigurationFile), StringComparison.Ordinal);
        Assert.Equal(ownOfTwo, OwnLines(two));
        Assert.Equal(Standing.InStep, (await ReportAsync(two)).Peers[0].Standing);
        Assert.Equal((await ReportAsync(one)).Versions[0].Id, (await ReportAsync(two)).Versions[0].Id);
        Assert.Contains("The same", await one.AskAsync("config", "diff"), StringComparison.Ordinal);
    }

    [PairFact]
    public async Task A_change_that_is_wrong_for_one_of_them_alone_is_made_on_neither()
    {
        // director-2 counts on `web`; director-1 does not.
        (PairDirector one, PairDirector two) = await StartAsync(moreOfTwo: "track: [ { virtualServers: [ web ] } ]");
        string before = File.ReadAllText(two.ConfigurationFile);

        ReloadResult refused = await EditAsync(one, text => text.Replace("  web:", "  shop:", StringComparison.Ordinal));

        Assert.False(refused.Applied);
        Assert.Contains(refused.Problems, p => p.StartsWith("director-2: ", StringComparison.Ordinal) && p.Contains("web", StringComparison.Ordinal));
        Assert.Equal(before, File.ReadAllText(two.ConfigurationFile));
        Assert.Equal(["web"], await NamesAsync(one));
        Assert.Equal(["web"], await NamesAsync(two));
        Assert.Single((await ReportAsync(one)).Versions);
    }

    [PairFact]
    public async Task Who_was_away_takes_what_was_changed_meanwhile()
    {
        (PairDirector one, PairDirector two) = await StartAsync();
        await two.StopAsync();

        Assert.True((await ChangeAsync(one, "scheduler: lc")).Applied);
        Assert.True((await ChangeAsync(one, "persistence: { timeout: 60s }")).Applied);
        await two.StartAgainAsync();

        await Eventually.HoldsAsync(() => two.Log.Contains("Took configuration", StringComparison.Ordinal), "director-2 took what it had missed");
        Assert.Contains("persistence: { timeout: 60s }, scheduler: lc", File.ReadAllText(two.ConfigurationFile), StringComparison.Ordinal);
    }

    [PairTheory]
    [InlineData("mine", "lc")]
    [InlineData("theirs", "sed")]
    public async Task Both_changed_while_they_were_cut_off_and_a_person_decides(string which, string kept)
    {
        (PairDirector one, PairDirector two) = await StartAsync();
        await using (Faults faults = new(lab))
        {
            await faults.PartAsync();
            Assert.True((await ChangeAsync(one, "scheduler: lc")).Applied);
            Assert.True((await ChangeAsync(two, "scheduler: sed")).Applied);
        }

        await Eventually.HoldsAsync(() => one.Log.Contains("Configuration conflict", StringComparison.Ordinal) && two.Log.Contains("Configuration conflict", StringComparison.Ordinal), "both see the conflict");
        Assert.Contains("scheduler: lc", File.ReadAllText(one.ConfigurationFile), StringComparison.Ordinal); // each goes on as it is
        Assert.Contains("scheduler: sed", File.ReadAllText(two.ConfigurationFile), StringComparison.Ordinal);
        using (AdminClient client = new(one.Socket))
        {
            ConfigurationDifference? difference = await client.ConfigurationDifferenceAsync(CancellationToken.None);
            Assert.Contains(difference!.Lines, l => l.StartsWith("-  web: { scheduler: lc", StringComparison.Ordinal));
            Assert.Contains(difference.Lines, l => l.StartsWith("+  web: { scheduler: sed", StringComparison.Ordinal));
        }

        Assert.Contains("config take mine", await one.AskAsync("ha"), StringComparison.Ordinal);

        await one.AskAsync("config", "take", which);

        Assert.All(_directors, d => Assert.Contains($"scheduler: {kept}", File.ReadAllText(d.ConfigurationFile), StringComparison.Ordinal));
        Assert.Contains("The same", await one.AskAsync("config", "diff"), StringComparison.Ordinal);
        Assert.Contains("The same", await two.AskAsync("config", "diff"), StringComparison.Ordinal);
    }

    [PairFact]
    public async Task A_rollback_goes_back_on_both_and_can_be_taken_back()
    {
        (PairDirector one, PairDirector two) = await StartAsync();
        await ChangeAsync(one, "scheduler: lc");

        await two.AskAsync("config", "rollback", "1");

        Assert.All(_directors, d => Assert.DoesNotContain("scheduler: lc", File.ReadAllText(d.ConfigurationFile), StringComparison.Ordinal));
        Assert.Contains("rollback to 1", await one.AskAsync("config", "history"), StringComparison.Ordinal);

        await one.AskAsync("config", "rollback", "2");
        Assert.All(_directors, d => Assert.Contains("scheduler: lc", File.ReadAllText(d.ConfigurationFile), StringComparison.Ordinal));
    }

    [PairFact]
    public async Task A_drain_on_one_counts_on_both_also_after_a_kill_and_a_saved_change_is_made_on_both()
    {
        (PairDirector one, PairDirector two) = await StartAsync();
        string name = $"web/{LabPlan.AddressOf(LabPlan.RealServers[0], LabSegment.Inside)}";

        await one.AskAsync("drain", name, "--why", "new disk");
        await two.SeesAsync(status => First(status) is { State: RealServerState.Drain, Administration.Why: "new disk" });
        await Eventually.HoldsAsync(() => File.Exists(Path.Combine(lab.Network.Folder, two.Director, "state", "state.json")), "director-2 has kept it");
        await two.KillAsync();
        await two.StartAgainAsync();
        await two.SeesAsync(status => First(status).State == RealServerState.Drain);
        await two.StopAsync();
        await one.AskAsync("enable", name);
        await two.StartAgainAsync();
        await two.SeesAsync(status => First(status).State == RealServerState.Up);

        await one.AskAsync("weight", name, "7", "--save");
        await two.SeesAsync(status => First(status).Weight == 7);
        Assert.All(_directors, d => Assert.Contains("weight: 7", File.ReadAllText(d.ConfigurationFile), StringComparison.Ordinal));
        Assert.Contains($"edit {name} weight=7", await two.AskAsync("config", "history"), StringComparison.Ordinal);

        static RealServerStatus First(DirectorStatus status) => status.VirtualServers[0].RealServers[0];
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (PairDirector director in _directors)
            await director.DisposeAsync();
    }

    private async Task<(PairDirector One, PairDirector Two)> StartAsync(string? moreOfTwo = null)
    {
        foreach (string name in PairPlan.Directors)
        {
            // Histories of a former test are of no concern here.
            string state = Path.Combine(lab.Network.Folder, name, "state");
            if (Directory.Exists(state))
                Directory.Delete(state, recursive: true);
            PairSettings settings = new()
            {
                Ha = ["shareConfiguration: true", $"# {name}'s own"],
                Priority = new() { ["director-1"] = 150 },
                VirtualServers = ["# director-1 says so", $"web: {{ address: \"{PairPlan.VirtualAddress}:80\", realServers: [ {PairSettings.Servers(80)} ], check: none }}"],
                More = moreOfTwo is not null && name == "director-2" ? [moreOfTwo] : [],
            };
            _directors.Add(await PairDirector.StartAsync(lab, name, settings));
        }

        await Eventually.HoldsAsync(() => _directors.All(d => d.Log.Contains("has the same configuration", StringComparison.Ordinal)), "both know that they are in step");
        return (_directors[0], _directors[1]);
    }

    private static Task<ReloadResult> ChangeAsync(PairDirector director, string setting) =>
        EditAsync(director, text => text.Replace("  web: {", $"  web: {{ {setting},", StringComparison.Ordinal));

    private static async Task<ReloadResult> EditAsync(PairDirector director, Func<string, string> edit)
    {
        File.WriteAllText(director.ConfigurationFile, edit(File.ReadAllText(director.ConfigurationFile)));
        using AdminClient client = new(director.Socket);
        ReloadResult? result = await client.ReloadAsync(CancellationToken.None);
        Assert.NotNull(result);
        return result;
    }

    private static async Task<ConfigurationReport> ReportAsync(PairDirector director)
    {
        using AdminClient client = new(director.Socket);
        ConfigurationReport? report = await client.ConfigurationAsync(CancellationToken.None);
        Assert.NotNull(report);
        return report;
    }

    private static async Task<string[]> NamesAsync(PairDirector director)
    {
        using AdminClient client = new(director.Socket);
        DirectorStatus? status = await client.StatusAsync(CancellationToken.None);
        return [.. status!.VirtualServers.Select(v => v.Name)];
    }

    /// <summary>What is not shared: everything above the virtual servers.</summary>
    private static string[] OwnLines(PairDirector director) =>
        [.. File.ReadLines(director.ConfigurationFile).TakeWhile(line => !line.StartsWith("virtualServers", StringComparison.Ordinal))];

    private static string Lines(ReloadResult result) => string.Join('\n', [.. result.Problems, .. result.Warnings]);
}
