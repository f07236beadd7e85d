using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bascule.Core.Api;
using Bascule.Linux.Files;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class EditTests
{
    [Fact]
    public async Task A_change_is_in_force_at_once_shown_as_a_difference_and_dropped_by_a_reload()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        string before = File.ReadAllText(daemon.File);
        await daemon.StartAsync();

        (int code, string output, string error) = await BasculeProcess.RunAsync("add", $"web/{beta.Address}", "weight=3", "-s", daemon.Socket);

        Assert.Equal(0, code);
        Assert.Contains($"-    realServers: [{alpha.Address}]", output, StringComparison.Ordinal);
        Assert.Contains($"+    realServers: [{alpha.Address}, {{ address: {beta.Address}, weight: 3 }}]", output, StringComparison.Ordinal);
        Assert.Equal("In force; not in the file: `bascule save` keeps it, the next reload or restart drops it.", error);
        Assert.Equal(before, File.ReadAllText(daemon.File));
        await Eventually.HoldsAsync(() => daemon.GetAsync().GetAwaiter().GetResult() == "beta");
        UnsavedChange unsaved = Assert.Single((await daemon.StatusAsync()).Unsaved);
        Assert.Equal(($"add web/{beta.Address} weight=3", Environment.UserName), (unsaved.Words, unsaved.By));
        Assert.Contains($"Not in the file: add web/{beta.Address} weight=3 (by {Environment.UserName}, ", (await BasculeProcess.RunAsync("status", "-s", daemon.Socket)).Out, StringComparison.Ordinal);

        (code, _, error) = await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);

        Assert.Equal(0, code);
        Assert.StartsWith($"no longer in force, for it was not in the file: add web/{beta.Address} weight=3 (by {Environment.UserName}, ", error, StringComparison.Ordinal);
        Assert.Empty((await daemon.StatusAsync()).Unsaved);
        Assert.Single((await daemon.StatusAsync()).VirtualServers[0].RealServers);
    }

    [Fact]
    public async Task Saved_it_is_in_the_file_and_nothing_else_in_the_file_is_touched()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha], more: "check: tcp # the port is enough");
        File.AppendAllText(daemon.File, "\n# the end\n");
        string before = File.ReadAllText(daemon.File);
        await daemon.StartAsync();

        Assert.Equal(0, (await BasculeProcess.RunAsync("edit", "web", "scheduler=wrr", "-s", daemon.Socket)).Code);
        (int code, _, string error) = await BasculeProcess.RunAsync("weight", $"web/{alpha.Address}", "5", "--save", "-s", daemon.Socket);

        Assert.Equal((0, "In force, and saved."), (code, error));
        Assert.Equal(
            before.Replace("scheduler: rr", "scheduler: wrr", StringComparison.Ordinal).Replace($"[{alpha.Address}]", $"[{{ address: {alpha.Address}, weight: 5 }}]", StringComparison.Ordinal),
            File.ReadAllText(daemon.File));
        Assert.Empty((await daemon.StatusAsync()).Unsaved);
        Assert.Equal("Reloaded: kept web.", (await BasculeProcess.RunAsync("reload", "-s", daemon.Socket)).Out);
    }

    [Fact]
    public async Task What_is_not_valid_is_refused_like_a_file_and_a_dry_run_changes_nothing()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        string before = File.ReadAllText(daemon.File);
        await daemon.StartAsync();

        (int code, _, string error) = await BasculeProcess.RunAsync("edit", "web", "scheduler=best", "--save", "-s", daemon.Socket);
        Assert.Equal(1, code);
        Assert.Contains("`scheduler: best` does not exist", error, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed: the daemon runs on with the configuration it had.", error, StringComparison.Ordinal);
        (code, string output, error) = await BasculeProcess.RunAsync("edit", "web", "scheduler=wlc", "--save", "--dry-run", "-s", daemon.Socket);
        Assert.Equal((0, "Valid; nothing was changed."), (code, error));
        Assert.Contains("+    scheduler: wlc", output, StringComparison.Ordinal);
        (code, _, error) = await BasculeProcess.RunAsync("delete", $"web/{alpha.Address}", "-s", daemon.Socket);
        Assert.Equal(1, code);
        Assert.Contains($"{alpha.Address} is the only real server of web", error, StringComparison.Ordinal);

        Assert.Equal(before, File.ReadAllText(daemon.File));
        Assert.Equal(1, (await daemon.StatusAsync()).Snapshot);
    }

    [Fact]
    public async Task Saving_does_not_undo_what_somebody_wrote_in_the_file_meanwhile()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        File.AppendAllText(daemon.File, "# edited by hand\n");

        (int code, _, string error) = await BasculeProcess.RunAsync("edit", "web", "scheduler=wlc", "--save", "-s", daemon.Socket);

        Assert.Equal(1, code);
        Assert.Contains("was changed since it was last read, and saving would undo that", error, StringComparison.Ordinal);
        Assert.Equal("rr", (await daemon.StatusAsync()).VirtualServers[0].Scheduler);
    }

    [Fact]
    public async Task Changes_at_the_same_time_all_come_about()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        using HttpClient api = daemon.Api();
        Task<HttpResponseMessage>[] changes = [.. Enumerable.Range(1, 12).Select(i => api.PostAsync(new Uri("http://bascule/v1/edit"),
            new StringContent(JsonSerializer.Serialize(new EditRequest { Change = new() { Kind = Core.Config.Editing.ChangeKind.Add, Name = $"web/127.0.0.1:{i}" }, Save = i % 2 == 0, By = "x" }, ApiJson.Default.EditRequest))))];
        foreach (HttpResponseMessage answer in await Task.WhenAll(changes))
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Equal(0, (await BasculeProcess.RunAsync("save", "-s", daemon.Socket)).Code);

        Assert.Equal("Reloaded: kept web.", (await BasculeProcess.RunAsync("reload", "-s", daemon.Socket)).Out);
        Assert.Equal(13, (await daemon.StatusAsync()).VirtualServers[0].RealServers.Length);
    }

    [Fact]
    public async Task What_is_secret_is_neither_in_the_log_nor_in_the_status()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        (int code, _, string error) = await BasculeProcess.RunAsync("edit", "web", "check.type=ftp", "check.user=anna", "check.password=hunter2", "-s", daemon.Socket);

        Assert.True(code == 0, error);
        Assert.Equal("edit web check.type=ftp check.user=anna check.password=***", Assert.Single((await daemon.StatusAsync()).Unsaved).Words);
        await daemon.Process.HasWrittenAsync("check.password=***");
        Assert.DoesNotContain("hunter2", daemon.Process.Out + daemon.Process.Error, StringComparison.Ordinal);
    }

    [PrivilegedFact("only root can become another user")]
    public async Task Somebody_of_the_sockets_group_may_look_and_drain_but_neither_change_the_configuration_nor_read_its_lines()
    {
        const string Nobody = "65534";
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        File.SetUnixFileMode(daemon.Folder, File.GetUnixFileMode(daemon.Folder) | UnixFileMode.OtherExecute);
        Assert.True(new FileOwner(0, uint.Parse(Nobody, CultureInfo.InvariantCulture)).TryTake(daemon.Socket));

        string edited = await AskAsync("/v1/edit", "-d", """{ "change": { "kind": "edit", "name": "web", "settings": [{ "name": "scheduler", "value": "wlc" }] } }""");
        string drained = await AskAsync("/v1/state", "-d", """{ "names": ["web"], "state": "drain", "by": "nobody", "why": "" }""");

        Assert.Contains("only root, and the user that the daemon runs as, may change the configuration", edited, StringComparison.Ordinal);
        Assert.EndsWith("403", edited, StringComparison.Ordinal);
        Assert.EndsWith("403", await AskAsync("/v1/config/rollback?number=1", "-X", "POST"), StringComparison.Ordinal);
        Assert.EndsWith("403", await AskAsync("/v1/config/take?which=theirs", "-X", "POST"), StringComparison.Ordinal);
        Assert.EndsWith("403", await AskAsync("/v1/config/diff"), StringComparison.Ordinal); // its lines may hold passwords
        Assert.EndsWith("200", drained, StringComparison.Ordinal);
        Assert.EndsWith("200", await AskAsync("/v1/status"), StringComparison.Ordinal);
        Assert.Equal("rr", (await daemon.StatusAsync()).VirtualServers[0].Scheduler);

        async Task<string> AskAsync(string path, params string[] arguments)
        {
            using Process curl = Process.Start(new ProcessStartInfo("setpriv",
                ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "curl", "-s", "-w", "%{http_code}", "--unix-socket", daemon.Socket, .. arguments, $"http://bascule{path}"])
            { RedirectStandardOutput = true })!;
            string answer = await curl.StandardOutput.ReadToEndAsync();
            await curl.WaitForExitAsync();
            return answer;
        }
    }

    [Fact]
    public async Task A_virtual_server_comes_and_goes_by_command()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        int port = BasculeProcess.FreePorts();
        using HttpClient client = new();

        (int code, _, string error) = await BasculeProcess.RunAsync("add", "shop", $"address=127.0.0.1:{port}", "protocol=http", $"realServers=[{alpha.Address}]", "check.type=tcp", "-s", daemon.Socket);
        Assert.True(code == 0, error);
        await Eventually.HoldsAsync(() => client.GetAsync(new Uri($"http://127.0.0.1:{port}/")).GetAwaiter().GetResult().IsSuccessStatusCode);
        Assert.Equal("alpha", await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/")));
        Assert.Equal(0, (await BasculeProcess.RunAsync("delete", "shop", "-s", daemon.Socket)).Code);

        Assert.Equal("web", Assert.Single((await daemon.StatusAsync()).VirtualServers).Name);
        Assert.Empty((await daemon.StatusAsync()).Unsaved); // what is in force is what the file says
    }
}
