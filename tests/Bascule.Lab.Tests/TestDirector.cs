using System.Diagnostics;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Lab.Tests;

/// <summary>A director in the lab, for one test.</summary>
internal sealed class TestDirector : IAsyncDisposable
{
    private readonly LabNetwork _network;
    private readonly LabDirector _director;
    private Process _process;

    private TestDirector(LabNetwork network, LabDirector director, Process process)
    {
        _network = network;
        _director = director;
        _process = process;
    }

    public int Id => _process.Id;

    public string Log => File.ReadAllText(_director.Log);

    public static async Task<TestDirector> StartAsync(LabNetwork network, string virtualServers, string settings)
    {
        LabDirector director = new(network.Plan["director"], network.Folder);
        File.Delete(director.Log);
        Write(network, director, virtualServers, settings);
        TestDirector started = new(network, director, await director.StartAsync(TimeProvider.System));
        try
        {
            await started.EveryoneIsCheckedAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync(); // or the next test meets it
            throw;
        }
    }

    /// <summary>Reads a changed file.</summary>
    public async Task ReloadAsync(string virtualServers, string settings = "")
    {
        Write(_network, _director, virtualServers, settings);
        using AdminClient client = new(_director.Socket);
        ReloadResult? result = await client.ReloadAsync(CancellationToken.None);
        Assert.True(result is { Problems: [] }, Log);
    }

    /// <summary>Any command that asks the daemon: list, explain, status …</summary>
    public Task<string> AskAsync(string verb, params string[] arguments) => _director.AskAsync(verb, arguments);

    /// <summary>Waits until it has seen this.</summary>
    /// <returns>How long that took.</returns>
    public Task<TimeSpan> SeesAsync(Func<DirectorStatus, bool> what) => _director.SeesAsync(what, TimeProvider.System);

    /// <summary>Ends it as an operator would, or as a crash.</summary>
    public async Task EndAsync(bool kill = false)
    {
        if (kill)
            _process.Kill();
        else
            await Tool.RunAsync("sh", ["-c", $"kill -TERM {_process.Id}"]);
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts it again with the same file.</summary>
    public async Task StartAgainAsync()
    {
        _process.Dispose();
        _process = await _director.StartAsync(TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (Directory.Exists(_network.Pins))
            Directory.Delete(_network.Pins, recursive: true);
    }

    /// <summary>Waits until every real server has been asked and answered.</summary>
    public Task EveryoneIsCheckedAsync() => SeesAsync(status => status.VirtualServers.All(v => v.RealServers.All(r => r.State != RealServerState.Down)));

    private static void Write(LabNetwork network, LabDirector director, string virtualServers, string settings) =>
        File.WriteAllText(director.File, $$"""
            workers: 1
            admin: { socket: {{director.Socket}} }
            stateFile: {{Path.GetDirectoryName(director.File)}}/state.json
            shutdownTimeout: 1s
            {{settings.Replace("PINS", network.Pins)}}
            virtualServers:
            {{virtualServers}}

            """);
}
