using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bascule.Client;
using Bascule.Core.Api;
using Spectre.Console;

namespace Bascule.Commands;

/// <summary><c>bascule top</c></summary>
internal static class TopCommand
{
    /// <summary>The command line as given.</summary>
    private sealed record Wanted(bool Once, TimeSpan Interval, TopView View, bool Json);

    public static Command Build()
    {
        Option<bool> once = new("--once") { Description = "One look: rates of one interval, then the end." };
        Option<double> interval = new("--interval", "-i") { Description = "Seconds between two looks, from 0.1.", HelpName = "SECONDS", DefaultValueFactory = _ => 1 };
        interval.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600))
                result.AddError("--interval must be from 0.1 to 3600 seconds");
        });
        Option<TopOrder> order = new("--sort") { Description = "The order to begin with.", DefaultValueFactory = _ => TopOrder.File };
        Option<string> filter = new("--filter") { Description = "Only servers in whose name or state this is.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("top", "Watch what goes through: connections, requests, bytes and failures in a second, and who is up.", """
            On a terminal it is drawn again in place: s changes the order, / filters, p pauses, q ends. Elsewhere each look is a table, with --json an
            object on a line of its own. Rates are of the time between two looks; `bascule list --rate` has those of IPVS.
            """)
        {
            once, interval, order, filter, json, socket, file,
        };
        command.SetAction((result, cancellation) =>
        {
            TopView view = new() { Order = result.GetValue(order), Filter = result.GetRequiredValue(filter) };
            Wanted wanted = new(result.GetValue(once), TimeSpan.FromSeconds(result.GetValue(interval)), view, result.GetValue(json));
            return RunAsync(wanted, AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Wanted wanted, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        bool isScreen = !wanted.Once && !wanted.Json && !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;
        bool isDone = isScreen
            ? await new TopScreen(daemon.StatusAsync, wanted.View, wanted.Interval, TimeProvider.System).ShowAsync(cancellation)
            : await PrintAsync(daemon, wanted, cancellation);
        return isDone ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<bool> PrintAsync(AdminClient daemon, Wanted wanted, CancellationToken cancellation)
    {
        if (await daemon.StatusAsync(cancellation) is not { } last)
            return false;
        do
        {
            await Task.Delay(wanted.Interval, TimeProvider.System, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellation.IsCancellationRequested)
                return true;
            if (await daemon.StatusAsync(cancellation) is not { } now)
                return false;
            Print(last, now, wanted);
            last = now;
        }
        while (!wanted.Once);
        return true;
    }

    private static void Print(DirectorStatus last, DirectorStatus now, Wanted wanted)
    {
        TopFrame frame = TopFrame.Between(last, now);
        if (wanted.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(frame with { Rows = [.. wanted.View.Choose(frame)] }, TopJson.Default.TopFrame));
            return;
        }

        Client.Table table = new(TopView.Headings);
        foreach (TopRow row in wanted.View.Choose(frame))
            table.Add(wanted.View.Cells(row));
        Console.Out.WriteLine(TopView.Summary(now, frame));
        table.Write(Console.Out);
        if (!wanted.Once)
            Console.Out.WriteLine();
    }
}

/// <summary>How a look is written as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(CamelCaseNames<RealServerState>)])]
[JsonSerializable(typeof(TopFrame))]
internal sealed partial class TopJson : JsonSerializerContext;
