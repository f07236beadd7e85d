using Bascule.Core.Model;
using Bascule.Linux.Process;

namespace Bascule.Vrrp.Track;

/// <summary>What the runs of a script add up to: so many successes in a row make it well, so many failures unwell. The first run decides at once.</summary>
internal sealed class ScriptTrack(TrackedScript script)
{
    private static readonly Dictionary<string, string> NoMore = [];

    private bool? _isWell;
    private int _against;

    /// <summary>Runs it, and says how it stands then.</summary>
    public async Task<TrackedState> LookAsync(TimeProvider time, CancellationToken stopping)
    {
        ProgramResult result = await ExternalProgram.RunAsync(script.Command, NoMore, script.Timeout, time, stopping);
        return new(Count(result.IsSuccess), 0, WhyOf(result));
    }

    /// <summary>Takes one run into account.</summary>
    public bool Count(bool succeeded)
    {
        _against = succeeded == _isWell ? 0 : _against + 1;
        if (_isWell is null || _against >= (succeeded ? script.Rise : script.Fall))
            (_isWell, _against) = (succeeded, 0);
        return _isWell.Value;
    }

    // Without its output, so that a script that prints the time does not change its state each second.
    private string WhyOf(ProgramResult result) => result.End switch
    {
        ProgramEnd.Exited => result.ExitCode == 0 ? "it succeeds" : $"it ended with {result.ExitCode}",
        ProgramEnd.TimedOut => $"it took longer than {script.Timeout.TotalSeconds:0.###} s and was killed",
        ProgramEnd.NotStarted => result.Output,
    };
}
