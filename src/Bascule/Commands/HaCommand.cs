using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule ha</c></summary>
internal static class HaCommand
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    public static Command Build()
    {
        Option<bool> json = Shared.Json();
        Option<bool> watch = new("--watch", "-w") { Description = "Again every second, until Ctrl-C." };
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("ha", "Show which virtual addresses this director has, since when and why, and what it knows of the others.", """
            What another director said is shown with its age, and never as how things are: it may have died since. Lateness is how long
            after its time the failover thread ran; more than half an advertInterval now and then means a machine too busy or paused.
            """)
        {
            json, watch, socket, file,
        };
        command.SetAction((result, cancellation) =>
            RunAsync(result.GetValue(json), result.GetValue(watch), AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(bool json, bool watch, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        while (true)
        {
            if (await daemon.HaAsync(cancellation) is not { } status)
                return ExitCode.Failed;
            // In one piece, so that a terminal does not flicker.
            StringWriter text = new();
            if (watch && !Console.IsOutputRedirected)
                text.Write("\e[H\e[J");
            if (json)
                text.WriteLine(JsonSerializer.Serialize(status, watch ? ApiJson.Lines.HaStatus : ApiJson.Readable.HaStatus));
            else
                new HaText(text).Write(status);
            Console.Out.Write(text);
            if (!watch)
                return ExitCode.Ok;
            await Task.Delay(WatchInterval, TimeProvider.System, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellation.IsCancellationRequested)
                return ExitCode.Ok;
        }
    }
}
