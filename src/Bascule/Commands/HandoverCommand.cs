using System.CommandLine;
using Bascule.Client;

namespace Bascule.Commands;

/// <summary><c>bascule handover</c></summary>
internal static class HandoverCommand
{
    public static Command Build()
    {
        Argument<string?> instance = new("instance") { Description = "Which one, by its name under ha.instances.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null };
        Option<bool> all = new("--all") { Description = "All that this director is Active for." };
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("handover", "Let the other director answer for the virtual addresses, as before maintenance.", """
            The other director takes the addresses at once. This one stays ready as Backup: it takes them back when the other one falls
            silent or hands over itself, not because it is the stronger one. When no other director is heard, or connections go on
            at the one that has just handed over to this one, nothing happens, and the exit code is 1.
            """)
        {
            instance, all, socket, file,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(all) == result.GetValue(instance) is not null)
                result.AddError("Name an instance, or say --all.");
        });
        command.SetAction((result, cancellation) =>
            RunAsync(result.GetValue(instance), AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? instance, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.HandOverAsync(instance, cancellation) is not { } result)
            return ExitCode.Failed;
        foreach (string note in result.Notes)
            Console.Error.WriteLine(note);
        if (result.HandedOver.IsEmpty)
            return ExitCode.Failed;
        Console.Out.WriteLine($"Handed over: {string.Join(", ", result.HandedOver)}.");
        return ExitCode.Ok;
    }
}
