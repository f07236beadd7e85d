using System.Diagnostics;
using System.Text.Json;
using Bascule.Admin;
using Bascule.Admin.Tests;
using Bascule.Core.Api;
using Bascule.Tests.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Tests.Commands;

/// <summary>The commands about the datapath as processes, over a real admin socket; behind it an engine that answers what a test wants.</summary>
public sealed class PacketCommandTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-packets-").FullName;
    private readonly FakeDatapath _datapath = new();
    private AdminServer? _server;
    private bool _hasDatapath = true;

    private string SocketPath => Path.Combine(_folder, "admin.sock");

    public async Task InitializeAsync() => _server = await AdminServer.StartAsync(AdminSocket.Bind(SocketPath, out _)!,
        new(new("1", "2", "3"), () => StatusTextTests.Status, () => throw new InvalidOperationException()) { Packets = () => _hasDatapath ? _datapath.Answers : null },
        NullLoggerFactory.Instance);

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task List_writes_the_table_and_as_JSON_the_records_of_the_status()
    {
        (int code, string table, string error) = await RunAsync("list", "-n");
        (_, string json, _) = await RunAsync("list", "--json", "-v", "web");

        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\nHTTP 192.0.2.10:80 wlc\n  -> 10.0.0.11:8080", table, StringComparison.Ordinal);
        Assert.Equal(["web"], JsonSerializer.Deserialize(json, ApiJson.Default.VirtualServerStatusArray)!.Select(v => v.Name));
    }

    [Fact]
    public async Task List_of_a_virtual_server_that_does_not_exist_names_those_that_do()
    {
        (int code, string output, string error) = await RunAsync("list", "-v", "shop");

        Assert.Equal((1, "", "There is no virtual server shop; there are web."), (code, output, error));
    }

    [Fact]
    public async Task List_of_connections_is_bounded_and_says_when_there_are_more()
    {
        _datapath.Flows = 100_000;

        (int code, string output, string error) = await RunAsync("list", "--connections", "--most", "20", "-v", "web");

        string[] lines = output.Split('\n');
        Assert.Equal((0, 21, "There are more; --most 200 shows more of them."), (code, lines.Length, error));
        Assert.Equal("TCP 14:58  ESTABLISHED 198.51.100.7:1        192.0.2.10:80         10.0.0.11:80", lines[1]);
    }

    [Fact]
    public async Task List_of_connections_as_JSON_is_an_object_a_line()
    {
        _datapath.Flows = 3;

        (_, string output, string error) = await RunAsync("list", "-C", "--json");

        Assert.Equal(("", 3), (error, output.Split('\n').Count(line => JsonSerializer.Deserialize(line, ApiJson.Default.ConnectionEntry) is { VirtualServer: "web" })));
    }

    [Fact]
    public async Task Explain_says_where_a_packet_goes()
    {
        (int code, string output, string error) = await RunAsync("explain", "--packet", "tcp 198.51.100.7:4242 > 192.0.2.10:80", "--flags", "ack");
        (_, string json, _) = await RunAsync("explain", "-p", "udp 198.51.100.7:4242>192.0.2.53:53", "--json");

        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("tcp 198.51.100.7:4242 > 192.0.2.10:80 [ack]\n  virtual server  web, scheduler mh\n  real server     10.0.0.11:80 by dr: ", output, StringComparison.Ordinal);
        Assert.Equal("udp 198.51.100.7:4242 > 192.0.2.53:53", JsonSerializer.Deserialize(json, ApiJson.Default.Explanation)!.Packet);
    }

    [Fact]
    public async Task A_capture_is_a_file_that_tcpdump_reads()
    {
        _datapath.Captured = 3;
        string file = Path.Combine(_folder, "out.pcapng");

        (int code, string output, string error) = await RunAsync("capture", "--virtual-server", "web", "-w", file, "--count", "2");

        Assert.Equal((0, "", $"4 frames written to {file}."), (code, output, error));
        string[] lines = await TcpdumpAsync(file);
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Contains("IP 198.51.100.7.4242 > 192.0.2.10.80: Flags [S]", line, StringComparison.Ordinal));
        Assert.Contains("(correct)", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_capture_that_is_interrupted_leaves_a_whole_file()
    {
        _datapath.Captured = 5;
        string file = Path.Combine(_folder, "out.pcapng");
        await using BasculeProcess capture = BasculeProcess.Start("capture", "-s", SocketPath, "-v", "web", "-w", file);
        await Testing.Eventually.HoldsAsync(() => File.Exists(file) && new FileInfo(file).Length > 1000);

        capture.Signal("INT");

        Assert.Equal(0, await capture.EndAsync());
        Assert.Equal($"10 frames written to {file}.", capture.Error);
        Assert.Equal(10, (await TcpdumpAsync(file)).Length);
    }

    [Fact]
    public async Task A_refusal_of_the_daemon_is_told_and_leaves_no_file()
    {
        string file = Path.Combine(_folder, "out.pcapng");

        (int code, _, string error) = await RunAsync("capture", "-v", "shop", "-w", file);

        Assert.Equal((1, $"The daemon on {SocketPath} says: there is no virtual server shop on the packet datapath (there are web)"), (code, error));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Without_a_datapath_the_commands_say_what_to_do()
    {
        _hasDatapath = false;
        foreach (string[] arguments in (string[][])[["list", "-C"], ["explain", "-p", "udp 1.2.3.4:5 > 192.0.2.10:80"], ["capture", "-v", "web", "-w", "-"]])
        {
            (int code, _, string error) = await RunAsync(arguments);

            Assert.Equal((1, $"The daemon on {SocketPath} says: this director has no packet datapath (add `packets` to its configuration and start it again)"), (code, error));
        }
    }

    [Fact]
    public async Task Detach_asks_the_daemon_that_runs()
    {
        Assert.Equal((0, "The datapath is off eth0; its flows are forgotten.", ""), await RunAsync("detach"));
    }

    [Fact]
    public async Task Detach_without_a_daemon_looks_in_the_folder_of_the_file()
    {
        string file = Path.Combine(_folder, "bascule.yaml");
        File.WriteAllText(file, $$"""
            admin: { socket: {{_folder}}/nobody.sock }
            packets: { interfaces: [eth0], state: {{_folder}}/never }
            virtualServers: { web: { address: 192.0.2.10:80, forward: dr, realServers: [10.0.0.11] } }
            """);

        Assert.Equal((0, "There was no datapath to take off.", ""), await BasculeProcess.RunAsync("detach", "-c", file));

        (int code, _, string error) = await BasculeProcess.RunAsync("detach", "-s", Path.Combine(_folder, "nobody.sock"));
        Assert.Equal(1, code);
        Assert.StartsWith("No daemon answers on", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detach_of_a_file_without_packets_wants_to_know_the_folder()
    {
        string file = Path.Combine(_folder, "bascule.yaml");
        File.WriteAllText(file, $$"""
            admin: { socket: {{_folder}}/nobody.sock }
            virtualServers: { web: { address: 127.0.0.1:8080, realServers: ["127.0.0.1:8081"] } }
            """);

        (int code, _, string error) = await BasculeProcess.RunAsync("detach", "-c", file);

        Assert.Equal(1, code);
        Assert.Contains("--state /sys/fs/bpf/bascule", error, StringComparison.Ordinal);
        Assert.Equal((0, "There was no datapath to take off.", ""), await BasculeProcess.RunAsync("detach", "--state", $"{_folder}/never"));
    }

    [Theory]
    [InlineData("list", "--stats", "--rate")]
    [InlineData("list", "--most", "0")]
    [InlineData("explain")]
    [InlineData("explain", "-p", "hello")]
    [InlineData("explain", "-p", "udp 1.2.3.4:5 > 192.0.2.10:80", "--flags", "syn")]
    [InlineData("capture", "-v", "web")]
    [InlineData("capture", "-v", "web", "-w", "x", "--count", "none")]
    public async Task What_makes_no_sense_exits_with_2_and_says_so(params string[] arguments)
    {
        (int code, _, string error) = await BasculeProcess.RunAsync(arguments);

        Assert.Equal(2, code);
        Assert.NotEqual("", error);
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) => BasculeProcess.RunAsync([.. arguments, "-s", SocketPath]);

    private static async Task<string[]> TcpdumpAsync(string file)
    {
        using Process tcpdump = Process.Start(new ProcessStartInfo("tcpdump", ["-n", "-v", "-r", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = tcpdump.StandardError.ReadToEndAsync();
        string output = await tcpdump.StandardOutput.ReadToEndAsync();
        await tcpdump.WaitForExitAsync();
        Assert.True(tcpdump.ExitCode == 0, await errors);
        // With -v a packet takes two lines, the second indented.
        return [.. output.ReplaceLineEndings("\n").Replace("\n    ", " IP ", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
