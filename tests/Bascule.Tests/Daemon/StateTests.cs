using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class StateTests
{
    [Fact]
    public async Task A_drained_real_server_gets_no_new_clients_and_waits_for_those_it_has()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using FakeRealServer other = FakeRealServer.Stalling();
        await using RunningDaemon daemon = Tcp(echo, other, "");
        await daemon.StartAsync();
        using TcpClient client = await ConnectAsync(daemon, echo);
        string name = $"web/{echo.Address}";

        await using BasculeProcess drain = BasculeProcess.Start("drain", name, "--why", "new disk", "--wait", "-s", daemon.Socket);
        await drain.HasWrittenAsync("1 connection and 0 sessions left");
        long before = (await daemon.StatusAsync()).VirtualServers[0].RealServers[0].Requests;
        for (int i = 0; i < 4; i++)
            (await daemon.ConnectAsync()).Dispose();
        await EchoesAsync(client);
        RealServerStatus drained = (await daemon.StatusAsync()).VirtualServers[0].RealServers[0];
        client.Close();
        int code = await drain.EndAsync();

        Assert.Equal((0, $"{name}: drain (was enable)"), (code, drain.Out));
        Assert.EndsWith("Empty.", drain.Error, StringComparison.Ordinal);
        Assert.Equal(before, drained.Requests);
        Assert.Equal((RealServerState.Drain, 0, 1L), (drained.State, drained.Weight, drained.ActiveConnections));
        Assert.Equal((AdministrativeState.Drain, AdministrationSource.Command, Environment.UserName, "new disk"),
            (drained.Administration!.State, drained.Administration.Source, drained.Administration.By, drained.Administration.Why));
    }

    [Fact]
    public async Task States_outlive_reload_and_a_kill_and_show_who_and_why()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, beta]);
        await daemon.StartAsync();

        Assert.Equal(0, (await BasculeProcess.RunAsync("maintenance", $"web/{alpha.Address}", "--why", "kernel", "-c", daemon.File)).Code);
        Assert.Equal(["beta", "beta", "beta"], await ThreeAsync(daemon));
        daemon.Process.Signal("KILL");
        await daemon.Process.EndAsync();
        await daemon.StartAsync();
        Assert.Equal(["beta", "beta", "beta"], await ThreeAsync(daemon));
        (int code, string text, _) = await BasculeProcess.RunAsync("status", "-c", daemon.File);
        Assert.Equal(0, code);
        Assert.Contains($"maintenance by {Environment.UserName}, ", text, StringComparison.Ordinal);
        Assert.Contains("ago: kernel; ", text, StringComparison.Ordinal);

        Assert.Equal(0, (await BasculeProcess.RunAsync("enable", $"web/{alpha.Address}", "--wait", "-c", daemon.File)).Code);
        Assert.Equal(0, (await BasculeProcess.RunAsync("reload", "-c", daemon.File)).Code);
        Assert.Contains("alpha", await ThreeAsync(daemon));
    }

    [Fact]
    public async Task A_virtual_server_in_maintenance_sends_everybody_to_the_sorry_server()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer sorry = RunningDaemon.Named("sorry");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha], more: $"sorryServer: {sorry.Address}");
        await daemon.StartAsync();
        Assert.Equal("alpha", await daemon.GetAsync());

        (int code, string output, _) = await BasculeProcess.RunAsync("maintenance", "web", "-c", daemon.File);

        Assert.Equal((0, "web: maintenance (was enable)"), (code, output));
        Assert.Equal("sorry", await daemon.GetAsync());
        VirtualServerStatus status = (await daemon.StatusAsync()).VirtualServers[0];
        Assert.Equal(AdministrativeState.Maintenance, status.Administration!.State);
        Assert.True(status.RealServers[0].Administration!.OfVirtualServer);
    }

    [Fact]
    public async Task A_state_in_the_file_counts_until_a_command_says_otherwise()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer sorry = RunningDaemon.Named("sorry");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha], more: $"sorryServer: {sorry.Address}\n    state: maintenance");
        await daemon.StartAsync();
        Assert.Equal("sorry", await daemon.GetAsync());

        Assert.Equal(0, (await BasculeProcess.RunAsync("enable", "web", "-c", daemon.File)).Code);

        Assert.Equal("alpha", await daemon.GetAsync());
    }

    [Fact]
    public async Task A_name_that_means_nothing_changes_nothing_and_says_what_there_is()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        (int code, string output, string error) = await BasculeProcess.RunAsync("drain", $"web/{alpha.Address}", "web/10.9.9.9", "-c", daemon.File);

        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"The daemon on {daemon.Socket} says: web has no real server 10.9.9.9 (there is {alpha.Address})", error);
        Assert.Null((await daemon.StatusAsync()).VirtualServers[0].RealServers[0].Administration);
    }

    [Fact]
    public async Task Who_is_to_be_told_is_told_what_an_operator_wants()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        string told = Path.Combine(daemon.Folder, "told");
        daemon.Write([alpha]);
        File.AppendAllText(daemon.File, $"notify: {{ me: {{ command: [/bin/sh, -c, 'echo \"$*\" >> {told}', x], on: [realServer, virtualServer] }} }}\n");
        await daemon.StartAsync();

        await BasculeProcess.RunAsync("drain", $"web/{alpha.Address}", "--why", "new disk", "-c", daemon.File);
        await BasculeProcess.RunAsync("maintenance", "web", "-c", daemon.File);

        string[] expected = [$"realServer web/{alpha.Address} drain by {Environment.UserName}: new disk", $"virtualServer web maintenance by {Environment.UserName}"];
        // What follows from it, that nobody serves, is told as well.
        await Eventually.HoldsAsync(() => File.Exists(told) && expected.SequenceEqual(File.ReadAllLines(told).Where(line => line.Contains(" by ", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_request_that_means_nothing_is_refused_with_a_hint()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        using HttpClient api = daemon.Api();

        foreach ((string what, string body, string error) in ((string, string, string)[])
        [
            ("state", "no json", "the body cannot be read"),
            ("state", "{ \"names\": [\"web\"], \"state\": \"gone\" }", "the body cannot be read"),
            ("state", "{ \"names\": [], \"state\": \"drain\" }", "it does not say of what"),
            ("edit", "{}", "it says neither what to change nor to save"),
            ("edit", "null", "the body is empty"),
        ])
        {
            using HttpResponseMessage answer = await api.PostAsync(new Uri($"http://bascule/v1/{what}"), new StringContent(body));
            Assert.False(answer.IsSuccessStatusCode, body);
            Assert.Contains($"\"error\": \"{error}", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(1, (await daemon.StatusAsync()).Snapshot);
    }

    [Fact]
    public async Task A_state_file_can_be_named_on_the_command_line()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        string elsewhere = Path.Combine(daemon.Folder, "new", "states");
        await daemon.StartWithAsync("--state", elsewhere);

        await BasculeProcess.RunAsync("drain", "web", "-s", daemon.Socket);

        Assert.Contains("\"drain\"", File.ReadAllText(elsewhere), StringComparison.Ordinal);
        File.WriteAllText(daemon.File, File.ReadAllText(daemon.File).Replace("/state.json", "/other.json", StringComparison.Ordinal)); // says nothing of who does not listen to it
        Assert.Equal("", (await BasculeProcess.RunAsync("reload", "-s", daemon.Socket)).Error);
    }

    private static RunningDaemon Tcp(FakeRealServer one, FakeRealServer two, string more)
    {
        RunningDaemon daemon = new();
        daemon.Write([one, two], more);
        File.WriteAllText(daemon.File, File.ReadAllText(daemon.File).Replace("protocol: http", "protocol: tcp", StringComparison.Ordinal));
        return daemon;
    }

    /// <summary>A client whom this real server serves.</summary>
    private static async Task<TcpClient> ConnectAsync(RunningDaemon daemon, FakeRealServer wanted)
    {
        while (true)
        {
            TcpClient client = await daemon.ConnectAsync();
            RealServerStatus status = (await daemon.StatusAsync()).VirtualServers[0].RealServers.First(r => r.Address == wanted.Address.ToString());
            if (status.ActiveConnections == 1)
                return client;
            client.Dispose();
        }
    }

    private static async Task EchoesAsync(TcpClient client)
    {
        byte[] buffer = new byte[4];
        await client.GetStream().WriteAsync("ping"u8.ToArray());
        await client.GetStream().ReadExactlyAsync(buffer);
        Assert.Equal("ping"u8.ToArray(), buffer);
    }

    private static async Task<string[]> ThreeAsync(RunningDaemon daemon) => [await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync()];
}
