using System.Globalization;
using System.Net;
using Bascule.Core.Model;
using Bascule.Linux.Process;

namespace Bascule.Health;

/// <summary>What does this program say about it?</summary>
internal sealed class ScriptProbe(ScriptCheck check, IPEndPoint target, TimeProvider time) : Probe
{
    private const int FirstWeight = 2; // keepalived misc_dynamic: exit codes from here on are a weight
    private const int LastWeight = 125; // from 126 on they are the shell's: not executable, not found, 128 and a signal
    private const int Signals = 128, LastSignal = 64;

    private readonly string[] _command = [.. check.Command.Select(word => Placeholders.Fill(word, target))];

    private readonly Dictionary<string, string> _environment = new(check.Environment.Select(v => KeyValuePair.Create(v.Name, v.Value)))
    {
        ["BASCULE_ADDRESS"] = target.Address.ToString(),
        ["BASCULE_PORT"] = target.Port.ToString(CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    public override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        // Its time is the check's: whoever ends that ends the program.
        ProgramResult result = await ExternalProgram.RunAsync(_command, _environment, check.User, Timeout.InfiniteTimeSpan, time, cancellation);
        if (result.End == ProgramEnd.NotStarted)
            return Verdict.NotAsked(result.Output);
        if (result.ExitCode is 126 or 127)
            return Verdict.NotAsked($"exit code {result.ExitCode}: {_command[0]}, or a program that it runs, cannot be executed{(result.Output.Length == 0 ? "" : $": {Conversation.Show(result.Output)}")}");
        Verdict verdict = Judge(result.ExitCode) with { Output = result.Output.Length == 0 ? null : result.Output };
        return check.LoadWeight && verdict.Passed ? WithLoad(verdict, LoadText.Find(result.Output)) : verdict;
    }

    private static Verdict WithLoad(Verdict verdict, double? load) => verdict with
    {
        Load = load,
        Warning = load is null ? "it wrote no load, such as load: 0.75" : null,
    };

    private Verdict Judge(int code) => code switch
    {
        0 => Verdict.Pass("exit code 0"),
        >= FirstWeight and <= LastWeight when check.DynamicWeight => Verdict.Pass($"exit code {code}") with { Weight = new(code - FirstWeight, IsPercent: false) },
        > Signals and <= Signals + LastSignal => Verdict.Failed($"exit code {code}, as when signal {code - Signals} ends it"),
        _ => Verdict.Failed($"exit code {code}"),
    };
}

/// <summary>Texts of the file in which <c>{address}</c> and <c>{port}</c> stand for those asked.</summary>
internal static class Placeholders
{
    public static string Fill(string text, IPEndPoint target) => text
        .Replace("{address}", target.Address.ToString(), StringComparison.Ordinal)
        .Replace("{port}", target.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
