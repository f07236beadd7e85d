using System.Diagnostics;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Roles;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Bascule on a director's machine.</summary>
internal sealed class PairDirector : IRouterProcess
{
    private readonly LabMachine _machine;
    private readonly LabDirector _director;
    private Process? _process;

    private PairDirector(PairFixture lab, string director, PairSettings settings)
    {
        _machine = lab[director];
        string folder = Path.Combine(lab.Network.Folder, director);
        Directory.CreateDirectory(folder);
        _director = new(_machine, folder);
        File.Delete(_director.Log);
        File.WriteAllText(_director.File, settings.Text(director, folder, Path.Combine(lab.Network.Pins, director)));
        Pins = Path.Combine(lab.Network.Pins, director);
    }

    /// <inheritdoc/>
    public string Director => _machine.Role;

    public int Id => _process!.Id;

    public string Log => File.ReadAllText(_director.Log);

    /// <summary>Its configuration file.</summary>
    public string ConfigurationFile => _director.File;

    /// <summary>Its admin socket.</summary>
    public string Socket => _director.Socket;

    private string Pins { get; }

    /// <summary>Starts it, and waits until it is ready.</summary>
    public static async Task<PairDirector> StartAsync(PairFixture lab, string director, PairSettings settings)
    {
        PairDirector started = new(lab, director, settings);
        try
        {
            await started.StartAgainAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task StartAgainAsync() => StartAgainAsync([]);

    /// <summary>The same, by way of another program that runs it.</summary>
    public async Task StartAgainAsync(string[] by)
    {
        _process?.Dispose();
        _process = await _director.StartAsync(TimeProvider.System, by);
    }

    /// <inheritdoc/>
    public async Task KillAsync()
    {
        Signal.Send("KILL", Id);
        await _process!.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        Signal.Send("TERM", Id);
        await _process!.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public void Pause() => Signal.Send("STOP", Id);

    /// <inheritdoc/>
    public void Continue() => Signal.Send("CONT", Id);

    /// <summary>A command that asks the daemon.</summary>
    public Task<string> AskAsync(string verb, params string[] arguments) => _director.AskAsync(verb, arguments);

    /// <summary>Waits until something about it holds.</summary>
    public Task<TimeSpan> SeesAsync(Func<DirectorStatus, bool> what) => _director.SeesAsync(what, TimeProvider.System);

    /// <summary>What <c>bascule ha</c> knows.</summary>
    public async Task<HaStatus> HaAsync()
    {
        using AdminClient client = new(_director.Socket);
        return await client.HaAsync(CancellationToken.None) ?? throw new LabException($"{Director} does not tell how things are:\n{Log}");
    }

    /// <summary>Waits until something about it holds.</summary>
    /// <exception cref="TimeoutException">It did not within 20 seconds.</exception>
    public async Task<HaStatus> SeesAsync(Func<HaStatus, bool> what, string called)
    {
        HaStatus status = await HaAsync();
        for (Stopwatch waited = Stopwatch.StartNew(); !what(status); status = await HaAsync())
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(20))
                throw new TimeoutException($"{Director}: never {called}:\n{await AskAsync("ha")}\n{Log}");
            await Task.Delay(5);
        }

        return status;
    }

    /// <summary>Waits until it has found every real server up.</summary>
    public Task SeesServersUpAsync() => _director.SeesAsync(status => status.VirtualServers.All(v => v.RealServers.All(r => r.State == RealServerState.Up)), TimeProvider.System);

    /// <summary>Waits until all its instances are this.</summary>
    public Task<HaStatus> IsAsync(Role role) => SeesAsync(status => status.Instances.All(i => i.Role == role), $"{role}");

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        if (Directory.Exists(Pins))
            Directory.Delete(Pins, recursive: true);
        // A lease of some seconds would run out in the next test, and the gate that one that was killed leaves behind stays closed.
        await _machine.RunScriptAsync("nft flush ruleset\n" + string.Concat(PairPlan.Virtual.Select(a => $"for port in eth0 eth2 lo; do ip address flush dev $port to {a}; done\n")));
    }
}
