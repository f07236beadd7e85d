using System.CommandLine;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Packets;

namespace Bascule.Commands;

/// <summary><c>bascule detach</c></summary>
internal static class DetachCommand
{
    public static Command Build()
    {
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Option<string?> state = new("--state")
        {
            Description = $"The folder that packets.state named (usually {PacketSettings.UsualStateFolder}), when the file does not name it any more. No daemon is asked.",
            HelpName = "FOLDER",
        };
        Verb command = new("detach", "Take the packet datapath off every interface and forget its flows. Needs root.", """
            A daemon that ends leaves the datapath where it is, so that the next one goes on without losing a packet or a flow. This
            ends it: packets for its virtual servers go to the director's own stack from then on. A daemon that runs is asked to; it
            goes on without a datapath until it is started again. Without one, what is left in packets.state is removed.
            """)
        {
            socket, file, state,
        };
        command.SetAction((result, cancellation) => result.GetValue(state) is { } folder
            ? Task.FromResult(Say(Detachment.Run(folder)))
            : RunAsync(result.GetValue(socket), result.GetValue(file), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? socket, string? file, CancellationToken cancellation)
    {
        if (AdminClient.SocketOf(socket, file) is not { } path)
            return ExitCode.Failed;
        using AdminClient daemon = new(path);
        if (await AdminClient.IsAnsweredAsync(path, cancellation))
            return await daemon.DetachAsync(cancellation) is { } done ? Say(done) : ExitCode.Failed;
        if (socket is not null)
        {
            Console.Error.WriteLine($"No daemon answers on {socket}. Without -s, what a daemon has left behind is removed.");
            return ExitCode.Failed;
        }

        string name = file ?? Shared.DefaultFile;
        CheckedConfiguration read = ConfigurationFile.Load(name);
        if (read.Meant is not { } configuration)
        {
            CheckCommand.Complain(name, read);
            return ExitCode.Failed;
        }

        if (configuration.Packets is { StateFolder: var folder })
            return Say(Detachment.Run(folder));
        Console.Error.WriteLine($"{name} has no `packets`, so it does not say where a datapath could be. One of an earlier file: --state {PacketSettings.UsualStateFolder}, or where packets.state was.");
        return ExitCode.Failed;
    }

    private static int Say(DetachResult result)
    {
        foreach (string problem in result.Problems)
            Console.Error.WriteLine(problem);
        if (!result.Interfaces.IsEmpty)
            Console.Out.WriteLine($"The datapath is off {string.Join(", ", result.Interfaces)}; its flows are forgotten.");
        else if (result.Problems.IsEmpty)
            Console.Out.WriteLine("There was no datapath to take off.");
        return result.Problems.IsEmpty ? ExitCode.Ok : ExitCode.Failed;
    }
}
