using System.Diagnostics;
using Bascule.Core.Api;

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
    public async Task StartAgainAsync()
    {
        _process?.Dispose();
        _process = await _director.StartAsync(TimeProvider.System);
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

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        if (Directory.Exists(Pins))
            Directory.Delete(Pins, recursive: true);
        // A lease of some seconds would run out in the next test.
        await _machine.RunScriptAsync(string.Concat(PairPlan.Virtual.Select(a => $"for port in eth0 eth2 lo; do ip address flush dev $port to {a}; done\n")));
    }
}
