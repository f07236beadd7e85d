using System.CommandLine;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule reload</c></summary>
internal static class ReloadCommand
{
    public static Command Build()
    {
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("reload", "Make the running daemon read its configuration file again.", """
            Only what changed is touched; connections and requests of unchanged virtual servers notice nothing. A file with
            problems changes nothing: the problems are printed, the exit code is 1.
            """)
        {
            socket, file,
        };
        command.SetAction((result, cancellation) =>
            RunAsync(AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.ReloadAsync(cancellation) is not { } result)
            return ExitCode.Failed;
        return Tell(result, "Reloaded");
    }

    /// <summary>Prints what came of a change.</summary>
    /// <param name="done">What was done, if it was.</param>
    public static int Tell(ReloadResult result, string done)
    {
        foreach (string line in result.Problems.Concat(result.Warnings))
            Console.Error.WriteLine(line);
        if (!result.Applied)
        {
            Console.Error.WriteLine("Nothing was changed: the daemon runs on with the configuration it had.");
            return ExitCode.Failed;
        }

        Console.Out.WriteLine($"{done}: {result.Summary()}.");
        return ExitCode.Ok;
    }
}
