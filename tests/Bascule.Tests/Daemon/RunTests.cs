using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class RunTests
{
    [Fact]
    public async Task Serves_requests_and_status_says_what_it_did()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, beta]);
        await daemon.StartAsync();

        string[] answers = [await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync(), await daemon.GetAsync()];
        DirectorStatus status = await daemon.StatusAsync();

        Assert.Equal(["alpha", "alpha", "beta", "beta"], answers.Order());
        VirtualServerStatus web = Assert.Single(status.VirtualServers);
        Assert.Equal(("web", "rr", 1), (web.Name, web.Scheduler, status.Workers));
        Assert.Equal(4, web.Outcomes[ForwardOutcome.Completed]);
        Assert.Equal([2, 2], web.RealServers.Select(r => r.Requests));
        Assert.Equal(daemon.Process.Id, status.ProcessId);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task Status_as_text_shows_who_is_up_and_why_another_is_down()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer dead = FakeRealServer.Refusing();
        await using RunningDaemon daemon = new();
        daemon.Write([alpha, dead], "check: { type: http, path: /, interval: 1s, timeout: 1s }");
        await daemon.StartAsync();
        await daemon.Process.HasWrittenAsync($"{alpha.Address} is up");

        (int code, string output, _) = await BasculeProcess.RunAsync("status", "-s", daemon.Socket);

        Assert.Equal(0, code);
        string[] lines = output.Split('\n');
        Assert.Matches($"{alpha.Address} .* up .*200 in .* ago; since", lines.Single(l => l.Contains($"{alpha.Address}", StringComparison.Ordinal)));
        Assert.Matches($"{dead.Address} .* down .*refused.* ago; since", lines.Single(l => l.Contains($"{dead.Address}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_process_that_may_open_few_files_holds_its_workers_to_them()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon folder = new();
        folder.Write([alpha]);

        await using BasculeProcess process = BasculeProcess.StartWithFiles(1500, "run", "-c", folder.File);
        await process.HasWrittenAsync("Ready:");

        Assert.Contains("limits.connectionsPerWorker is held at 597 instead of 20000: the process may open only 1500 files", process.Error, StringComparison.Ordinal);
        process.Signal("TERM");
        Assert.Equal(0, await process.EndAsync());
    }

    [Fact]
    public async Task SIGTERM_lets_a_request_finish_and_refuses_new_connections()
    {
        TaskCompletionSource mayAnswer = new();
        await using FakeRealServer slow = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await mayAnswer.Task;
            await client.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        });
        await using RunningDaemon daemon = new();
        daemon.Write([slow]);
        await daemon.StartAsync();
        Task<string> request = daemon.GetAsync();
        await Eventually.HoldsAsync(() => slow.Requests.Count == 1);

        Task<int> stopped = daemon.StopAsync();
        await daemon.Process.HasWrittenAsync("Stopping: open client connections (1) may finish");
        await Eventually.HoldsAsync(() => IsRefused(daemon.Port));
        Assert.False(request.IsCompleted);
        mayAnswer.SetResult();

        Assert.Equal("done", await request);
        Assert.Equal(0, await stopped);
        Assert.False(File.Exists(daemon.Socket));
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        await using FakeRealServer stalling = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.ReadToEndAsync();
        });
        await using RunningDaemon daemon = new();
        daemon.Write([stalling]);
        await daemon.StartAsync();
        Task<string> request = daemon.GetAsync();
        await Eventually.HoldsAsync(() => stalling.Requests.Count == 1);

        daemon.Process.Signal("TERM");
        await daemon.Process.HasWrittenAsync("Stopping:");
        daemon.Process.Signal("INT");

        Assert.Equal(130, await daemon.Process.EndAsync());
        Assert.False(File.Exists(daemon.Socket));
        await Assert.ThrowsAsync<HttpRequestException>(() => request);
    }

    [Fact]
    public async Task SIGHUP_before_it_is_ready_makes_it_reload_when_it_is()
    {
        await using FakeRealServer stalling = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.ReadToEndAsync();
        });
        await using RunningDaemon daemon = new();
        daemon.Write([stalling], "check: { type: http, path: /, interval: 20s, timeout: 20s }");

        await using BasculeProcess process = BasculeProcess.Start("run", "-c", daemon.File);
        await Eventually.HoldsAsync(() => stalling.Requests.Count == 1); // now it waits a second for the answer
        process.Signal("HUP");

        await process.HasWrittenAsync("Ready:");
        await process.HasWrittenAsync("Reloaded:");
        process.Signal("TERM");
        Assert.Equal(0, await process.EndAsync());
    }

    [Fact]
    public async Task A_file_with_problems_starts_nothing()
    {
        await using RunningDaemon daemon = new();
        File.WriteAllText(daemon.File, "workers: many\nvirtualServers: {}\n");

        (int code, _, string error) = await BasculeProcess.RunAsync("run", "-c", daemon.File);

        Assert.Equal(1, code);
        Assert.Contains($"{daemon.File}:1:", error, StringComparison.Ordinal);
        Assert.Contains($"{daemon.File}:2:", error, StringComparison.Ordinal);
        Assert.False(File.Exists(daemon.Socket));
    }

    [Fact]
    public async Task A_port_in_use_is_named_and_nothing_is_left_behind()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, daemon.Port));
        other.Listen();
        daemon.Write([alpha]);

        (int code, _, string error) = await BasculeProcess.RunAsync("run", "-c", daemon.File);

        Assert.Equal(1, code);
        Assert.Contains($"web: another program already listens on 127.0.0.1:{daemon.Port}", error, StringComparison.Ordinal);
        Assert.False(File.Exists(daemon.Socket));
    }

    [Fact]
    public async Task A_second_daemon_on_the_same_file_is_refused_and_the_first_goes_on()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        (int code, _, string error) = await BasculeProcess.RunAsync("run", "-c", daemon.File);

        Assert.Equal(1, code);
        Assert.Contains($"another daemon answers on the admin socket {daemon.Socket}", error, StringComparison.Ordinal);
        Assert.Equal("alpha", await daemon.GetAsync());
        Assert.Equal(1, (await daemon.StatusAsync()).Snapshot);
    }

    [Fact]
    public async Task Starts_again_after_a_kill_that_left_its_socket_file_behind()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();
        daemon.Process.Signal("KILL");
        await daemon.Process.EndAsync();
        Assert.True(File.Exists(daemon.Socket));

        await daemon.StartAsync();

        Assert.Equal("alpha", await daemon.GetAsync());
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task Listens_on_its_virtual_servers_and_on_no_other_port()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        daemon.Write([alpha]);
        await daemon.StartAsync();

        string[] sockets = [.. Directory.GetFiles($"/proc/{daemon.Process.Id}/fd").Select(f => new FileInfo(f).LinkTarget).OfType<string>()];
        // proc_net_tcp: local address and port in hexadecimal are the second word, the state (0A: listening) the fourth, the inode the tenth.
        string[] ports =
        [
            .. new[] { "tcp", "tcp6", "udp", "udp6" }
                .SelectMany(table => File.ReadLines($"/proc/{daemon.Process.Id}/net/{table}").Skip(1)
                    .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    .Where(words => (words[3] == "0A" || table.StartsWith("udp", StringComparison.Ordinal)) && sockets.Contains($"socket:[{words[9]}]"))
                    .Select(words => $"{table} {words[1]}")),
        ];

        Assert.Equal([$"tcp 0100007F:{daemon.Port:X4}"], ports);
    }

    [Fact]
    public async Task Tells_systemd_how_far_it_is()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using RunningDaemon daemon = new();
        using Socket systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        string path = Path.Combine(Path.GetDirectoryName(daemon.File)!, "notify");
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        daemon.Write([alpha]);

        await daemon.StartAsync(("NOTIFY_SOCKET", path));
        Assert.Equal("READY=1", Heard(systemd));
        daemon.Process.Signal("HUP");
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", Heard(systemd));
        Assert.Equal("READY=1", Heard(systemd));
        await daemon.StopAsync();
        Assert.Equal("STOPPING=1", Heard(systemd));
    }

    private static string Heard(Socket systemd)
    {
        byte[] message = new byte[256];
        return Encoding.UTF8.GetString(message, 0, systemd.Receive(message));
    }

    private static bool IsRefused(int port)
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Connect(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }
}
