using System.CommandLine;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Config;

namespace Bascule.Commands;

/// <summary><c>bascule config</c></summary>
internal static class ConfigCommand
{
    public static Command Build()
    {
        Command schema = new("schema", "Print a JSON Schema of the configuration file, for editors that complete and check as you type.");
        schema.SetAction(_ => Console.Out.Write(JsonSchema.Write()));
        Command reference = new("reference", "Print every setting with its type, range and default, as Markdown.");
        reference.SetAction(_ => Console.Out.Write(ReferencePage.Write()));
        return new("config", "What can be written in the configuration file, and what two directors share of it.")
        {
            schema, reference, Difference(), Take(), History(), RollBack(),
        };
    }

    private static Verb Difference()
    {
        Verb command = new("diff", "Show the shared configuration of this director beside the other one's.", """
            Lines that only this director has begin with -, those that only the other one has with +. The exit code is 0 when
            there are none, 1 otherwise.
            """);
        return Asking(command, async (daemon, _, cancellation) =>
            await daemon.ConfigurationDifferenceAsync(cancellation) is { } difference ? Show(difference) : ExitCode.Failed);
    }

    private static Verb Take()
    {
        Argument<string> which = new("which") { Description = "mine: this director's; theirs: the other one's." };
        which.AcceptOnlyFromAmong("mine", "theirs");
        Verb command = new("take", "Decide whose configuration both directors have from now on.", """
            For when both were changed while they could not talk to each other. What was not taken stays in the history of the
            director that had it.
            """)
        {
            which,
        };
        return Asking(command, async (daemon, result, cancellation) =>
            await daemon.TakeAsync(result.GetRequiredValue(which), cancellation) is { } taken ? ReloadCommand.Tell(taken, "Taken") : ExitCode.Failed);
    }

    private static Verb History()
    {
        Verb command = new("history", "List the versions of the shared configuration, the latest first, and how the other director stands.", """
            The numbers are this director's own; a version's id is the same on both. The last hundred are kept, as files under
            ha.stateFolder.
            """);
        return Asking(command, async (daemon, _, cancellation) =>
            await daemon.ConfigurationAsync(cancellation) is { } report ? Show(report) : ExitCode.Failed);
    }

    private static Verb RollBack()
    {
        Argument<int> number = new("number") { Description = "As `bascule config history` counts." };
        Verb command = new("rollback", "Go back to an earlier version of the shared configuration, on both directors.", """
            It becomes a new version, so that this can be taken back as well. What is each director's own stays as it is.
            """)
        {
            number,
        };
        return Asking(command, async (daemon, result, cancellation) =>
            await daemon.RollBackAsync(result.GetRequiredValue(number), cancellation) is { } done ? ReloadCommand.Tell(done, "Rolled back") : ExitCode.Failed);
    }

    private static Verb Asking(Verb command, Func<AdminClient, ParseResult, CancellationToken, Task<int>> askAsync)
    {
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        command.Add(socket);
        command.Add(file);
        command.SetAction(async (result, cancellation) =>
        {
            if (AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)) is not { } found)
                return ExitCode.Failed;
            using AdminClient daemon = new(found);
            return await askAsync(daemon, result, cancellation);
        });
        return command;
    }

    private static int Show(ConfigurationDifference difference)
    {
        if (difference.Lines.IsEmpty)
        {
            Console.Out.WriteLine($"The same as on {difference.Peer}.");
            return ExitCode.Ok;
        }

        Console.Out.WriteLine($"--- here\n+++ {difference.Peer}, as it said at {difference.AsOf:u}");
        foreach (string line in difference.Lines)
            Console.Out.WriteLine(line);
        return ExitCode.Failed;
    }

    private static int Show(ConfigurationReport report)
    {
        foreach (VersionStatus version in report.Versions)
            Console.Out.WriteLine($"{version.Number,4}  {version.Id[..12]}  {version.At:u}  {version.By}  {version.Why}");
        foreach (PeerVersion peer in report.Peers)
            Console.Out.WriteLine(peer.Sentence ?? $"{peer.Name} has the same, as it said at {peer.AsOf:u}.");
        return ExitCode.Ok;
    }
}
