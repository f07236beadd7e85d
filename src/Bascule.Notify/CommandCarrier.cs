using System.Globalization;
using Bascule.Core.Model;
using Bascule.Linux.Process;

namespace Bascule.Notify;

/// <summary>Starts the program with TYPE NAME STATE WHY behind its own arguments; the same and more stands in its environment.</summary>
/// <param name="commandFor">Which program.</param>
internal sealed class CommandCarrier(Func<Notification, ValueList<string>> commandFor, TimeSpan timeout, TimeProvider time) : Carrier
{
    public override bool MayRepeat => false;

    public override async Task<string?> DeliverAsync(Letter letter, CancellationToken cancellation)
    {
        ValueList<string> command = commandFor(letter.About);
        Dictionary<string, string> environment = new()
        {
            ["BASCULE_NODE"] = letter.Node,
            ["BASCULE_NUMBER"] = letter.Number.ToString(CultureInfo.InvariantCulture),
            ["BASCULE_AT"] = letter.About.At.ToString("O", CultureInfo.InvariantCulture),
        };
        ProgramResult result = await ExternalProgram.RunAsync(
            [.. command, letter.Type, letter.About.Name, letter.About.State, letter.About.Why], environment, timeout, time, cancellation);
        return result.End switch
        {
            ProgramEnd.Exited when result.ExitCode == 0 => null,
            ProgramEnd.Exited => $"{command[0]} ended with {result.ExitCode}{(result.Output.Length > 0 ? $": {result.Output}" : "")}",
            ProgramEnd.TimedOut => string.Create(CultureInfo.InvariantCulture, $"{command[0]} took longer than {timeout.TotalSeconds:0.###} s and was killed"),
            ProgramEnd.NotStarted => result.Output,
        };
    }
}
