using System.CommandLine;
using Bascule.Client;
using Bascule.Daemon;

namespace Bascule.Commands;

/// <summary><c>bascule capture</c></summary>
internal static class CaptureCommand
{
    private const string StandardOutput = "-";

    /// <summary>The command line as given; what was not given is null.</summary>
    private sealed record Wanted(string VirtualServer, string File, int? Count, int? Seconds, int? OneIn);

    public static Command Build()
    {
        Option<string> virtualServer = new("--virtual-server", "-v") { Description = "Whose packets.", HelpName = "NAME", Required = true };
        Option<string> output = new("--write", "-w") { Description = "The pcapng file to write; `-` is standard output.", HelpName = "FILE", Required = true };
        Option<int?> count = Number("--count", int.MaxValue, "End after so many packets.");
        Option<int?> seconds = Number("--seconds", 86_400, "End after that long.");
        Option<int?> oneIn = Number("--one-in", int.MaxValue, "One of so many packets, chosen by chance. Without it: all.");
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("capture", "Write packets of a virtual server on the packet datapath to a file for Wireshark and tcpdump.", """
            tcpdump on the director does not see packets that XDP sends on; this does. Each packet is written twice: as it came, and as
            it leaves, with the real server it goes to in its comment. Ends with Ctrl-C, after --count or after --seconds. One
            capture runs at a time. When the reader is slow, packets are missing in the file and nowhere else.
              bascule capture -v web -w - | tcpdump -n -r -
            """)
        {
            virtualServer, output, count, seconds, oneIn, socket, file,
        };
        command.SetAction((result, _) => RunAsync(
            new(result.GetRequiredValue(virtualServer), result.GetRequiredValue(output), result.GetValue(count), result.GetValue(seconds), result.GetValue(oneIn)),
            AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file))));
        return command;
    }

    private static Option<int?> Number(string name, int most, string description)
    {
        Option<int?> option = new(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int value) && value >= 1 && value <= most))
                result.AddError($"{name} must be a number from 1 to {most}, not {token.Value}");
        });
        return option;
    }

    private static async Task<int> RunAsync(Wanted wanted, string? socket)
    {
        if (socket is null)
            return ExitCode.Failed;
        using Signals signals = new(endNow: () => { });
        using AdminClient daemon = new(socket);
        Lazy<Stream> to = new(() => wanted.File == StandardOutput ? Console.OpenStandardOutput() : File.Create(wanted.File)); // no file before the daemon agrees
        long packets = 0;
        try
        {
            bool isWhole = await daemon.CaptureAsync(QueryOf(wanted), async from => packets = await CopyAsync(from, to.Value, signals.Stopping), signals.Stopping);
            if (!isWhole)
                return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            // before the first packet
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Console.Error.WriteLine($"Cannot write {wanted.File}: {e.Message}");
            return ExitCode.Failed;
        }
        finally
        {
            if (to.IsValueCreated)
                await to.Value.DisposeAsync();
        }

        Console.Error.WriteLine($"{packets} frames written to {(wanted.File == StandardOutput ? "standard output" : wanted.File)}.");
        return ExitCode.Ok;
    }

    private static async Task<long> CopyAsync(Stream from, Stream to, CancellationToken stopping)
    {
        PcapngCopy copy = new(to);
        try
        {
            await copy.CopyAsync(from, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Ctrl-C: what is written is whole.
        }

        return copy.Packets;
    }

    private static string QueryOf(Wanted wanted) => string.Concat(
        $"virtualServer={Uri.EscapeDataString(wanted.VirtualServer)}",
        wanted.Count is { } count ? $"&count={count}" : "",
        wanted.Seconds is { } seconds ? $"&seconds={seconds}" : "",
        wanted.OneIn is { } oneIn ? $"&oneIn={oneIn}" : "");
}
