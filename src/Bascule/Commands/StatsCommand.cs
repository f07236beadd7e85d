using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule stats</c></summary>
internal static class StatsCommand
{
    public static Command Build()
    {
        Argument<string?> name = new("name") { Description = "Only this virtual server.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null };
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("stats", "Show what went through each virtual server since the start: how it ended, and what share each real server had.", """
            `bascule list --stats` has the same numbers in ipvsadm's columns, `bascule list --rate` rates, `bascule top` both as they change.
            """)
        {
            name, json, socket, file,
        };
        command.SetAction((result, cancellation) =>
            RunAsync(result.GetValue(name), result.GetValue(json), AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? name, bool json, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.StatusAsync(cancellation) is not { } status)
            return ExitCode.Failed;
        VirtualServerStatus[] shown = [.. status.VirtualServers.Where(v => name is null || v.Name == name)];
        if (shown.Length == 0)
        {
            Console.Error.WriteLine($"There is no virtual server {name}; there are {string.Join(", ", status.VirtualServers.Select(v => v.Name))}.");
            return ExitCode.Failed;
        }

        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(shown, ApiJson.Readable.VirtualServerStatusArray));
        else
            StatsText.Write(Console.Out, shown);
        return ExitCode.Ok;
    }
}
