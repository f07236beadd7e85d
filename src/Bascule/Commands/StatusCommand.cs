using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule status</c></summary>
internal static class StatusCommand
{
    public static Command Build()
    {
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("status", "Show what the running daemon balances: virtual servers, their real servers, and why each is up or down.", """
            ActiveConn are connections or requests at work now, InActConn those kept open for the next request. A real server
            is up, down (its check fails), quiesced (weight 0: no new connections), or the sorry server.
            """)
        {
            json, socket, file,
        };
        command.SetAction((result, cancellation) =>
            RunAsync(result.GetValue(json), AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(bool json, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.StatusAsync(cancellation) is not { } status)
            return ExitCode.Failed;
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(status, ApiJson.Readable.DirectorStatus));
        else
            new StatusText(Console.Out, HasColours).Write(status);
        return ExitCode.Ok;
    }

    // no-color.org: set and not empty means no colours.
    private static bool HasColours => !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is { } terminal and not "dumb" && terminal.Length > 0;
}
