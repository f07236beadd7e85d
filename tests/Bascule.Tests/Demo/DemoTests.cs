using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Bascule.Testing;

namespace Bascule.Tests.Demo;

public sealed partial class DemoTests : IAsyncLifetime
{
    private readonly int _port = BasculeProcess.FreePorts();
    private BasculeProcess? _demo;

    private BasculeProcess Demo => _demo!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_demo is not null)
            await _demo.DisposeAsync();
    }

    [Fact]
    public async Task Ends_by_itself_with_0_when_all_three_served_and_leaves_nothing_behind()
    {
        Start("--seconds", "3");

        int code = await Demo.EndAsync();

        Assert.True(code == 0, Demo.Out + Demo.Error);
        Assert.All(["alpha", "beta", "gamma"], name => Assert.Matches($"{name} answered [1-9][0-9]* requests over HTTP and [1-9][0-9]* over TCP", Demo.Out));
        Assert.Contains("Nothing failed.", Demo.Out, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task Answers_a_visitor_with_the_name_of_a_server_and_in_turn()
    {
        Start();
        await Demo.HasWrittenAsync("gamma up");
        using HttpClient visitor = new();

        List<string> first = [];
        List<string> second = [];
        for (int i = 0; i < 12; i++)
        {
            first.Add((await visitor.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/some/path"))).Split('\n')[0]);
            using HttpClient newcomer = new(); // a connection of its own
            second.Add((await newcomer.GetStringAsync(new Uri($"http://127.0.0.1:{_port + 1}/"))).Split('\n')[0]);
        }

        Assert.Equal(["alpha", "beta", "gamma"], first.Distinct().Order());
        Assert.Equal(["alpha", "beta", "gamma"], second.Distinct().Order());
        Demo.Signal("TERM");
        Assert.Equal(0, await Demo.EndAsync());
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_killed_server_is_shown_as_down_the_others_serve_on_and_it_comes_back()
    {
        Start();
        await Demo.HasWrittenAsync("gamma up");
        int alpha = ServerIds()[0];

        BasculeProcess.Signal("KILL", alpha);
        await Demo.HasWrittenAsync("alpha down (");
        using HttpClient visitor = new();
        string[] names = [await NameAsync(visitor), await NameAsync(visitor), await NameAsync(visitor), await NameAsync(visitor)];
        Assert.Equal(["beta", "gamma"], names.Distinct().Order());

        await Eventually.HoldsAsync(() => Demo.Out is var seen && seen.LastIndexOf("alpha up", StringComparison.Ordinal) > seen.LastIndexOf("alpha down (", StringComparison.Ordinal));
        Demo.Signal("INT");
        Assert.Equal(0, await Demo.EndAsync());
        Assert.Contains("Nothing failed.", Demo.Out, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task With_all_three_killed_clients_get_503_and_the_demo_goes_on()
    {
        Start();
        await Demo.HasWrittenAsync("gamma up");

        foreach (int server in ServerIds())
            BasculeProcess.Signal("KILL", server);
        await Demo.HasWrittenAsync("× 503");

        await Demo.HasWrittenAsync("alpha down (");
        Demo.Signal("TERM");
        Assert.Equal(0, await Demo.EndAsync());
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task No_server_outlives_a_demo_that_was_killed()
    {
        Start();
        await Demo.HasWrittenAsync("gamma up");
        int[] servers = ServerIds();
        string folder = Folder();

        Demo.Signal("KILL");
        await Demo.EndAsync();

        await Eventually.HoldsAsync(() => servers.All(HasEnded));
        Directory.Delete(folder, recursive: true); // what a killed demo cannot do for itself
    }

    [Fact]
    public async Task In_a_terminal_it_draws_a_table_and_gives_the_cursor_back()
    {
        _demo = BasculeProcess.StartInTerminal($"demo --port {_port} --seconds 3");

        int code = await Demo.EndAsync();

        Assert.Equal(0, code);
        Assert.Contains("│ real server │ address", Demo.Out, StringComparison.Ordinal);
        int hidden = Demo.Out.LastIndexOf("\e[?25l", StringComparison.Ordinal);
        int shown = Demo.Out.LastIndexOf("\e[?25h", StringComparison.Ordinal);
        Assert.True(hidden >= 0 && shown > hidden, $"cursor hidden at {hidden}, shown at {shown}");
        AssertNothingIsLeft();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_port_in_use_is_named_together_with_the_way_out(int offset)
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, _port + offset));
        other.Listen();

        (int code, string output, string error) = await BasculeProcess.RunAsync("demo", "--port", $"{_port}", "--seconds", "3");

        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith($"Port {_port + offset} of 127.0.0.1 is in use", error, StringComparison.Ordinal);
        Assert.Contains("--port", error, StringComparison.Ordinal);
    }

    private void Start(params string[] more) => _demo = BasculeProcess.Start(["demo", "--port", $"{_port}", .. more]);

    private async Task<string> NameAsync(HttpClient visitor) => (await visitor.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/"))).Split('\n')[0];

    private int[] ServerIds() =>
        [.. ThreeIds().Match(Demo.Out).Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture))];

    private string Folder() => Path.GetDirectoryName(SocketPath().Match(Demo.Out).Groups[1].Value)!;

    private void AssertNothingIsLeft()
    {
        Assert.All(ServerIds(), id => Assert.True(HasEnded(id)));
        Assert.False(Directory.Exists(Folder()));
    }

    /// <summary>Gone, or a zombie that only waits for its new parent to notice. proc_pid_stat(5).</summary>
    private static bool HasEnded(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    [GeneratedRegex("kill ([0-9]+) ([0-9]+) ([0-9]+) ")]
    private static partial Regex ThreeIds();

    [GeneratedRegex("status -s (/[^ \n]+)")]
    private static partial Regex SocketPath();
}
