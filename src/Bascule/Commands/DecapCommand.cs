using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Bascule.Daemon;
using Bascule.Lab;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Decap;
using Bascule.Packets.Xdp;

namespace Bascule.Commands;

/// <summary><c>bascule decap</c></summary>
internal static class DecapCommand
{
    public static Command Build()
    {
        Argument<string[]> interfaces = new("INTERFACE") { Description = "Where the director's packets come in.", Arity = ArgumentArity.OneOrMore };
        Option<IPAddress[]> served = new("--virtual", "-v")
        {
            Description = "A virtual address that this real server serves. Can be given several times.",
            HelpName = "ADDRESS",
            Required = true,
            CustomParser = Addresses,
        };
        Option<IPAddress[]> ends = new("--address", "-a")
        {
            Description = "Where tunnels end: the address by which directors know this real server. Without it: every address of the interfaces.",
            HelpName = "ADDRESS",
            CustomParser = Addresses,
        };
        Option<int> port = new("--gue-port") { Description = "UDP port of GUE.", HelpName = "PORT", DefaultValueFactory = _ => 6080 };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int value) && value is >= 1 and <= 65535))
                result.AddError($"--gue-port must be a number from 1 to 65535, not {token.Value}");
        });
        Option<bool> print = new("--print") { Description = "Print the commands for a real server that uses the kernel's own tunnel devices instead, and end." };
        Verb command = new("decap", "On a real server behind a tunnel: take the director's packets out of it, and hold the virtual addresses silently. Needs root.", """
            Runs in the foreground until SIGTERM or Ctrl-C, then puts everything back but the arp_ignore and arp_announce settings.
            Takes off IPIP, IP6IP6, 4in6, 6in4, GUE and GRE without a tunnel device or a kernel module. Only packets for the
            virtual addresses come out; the rest of the machine's traffic is left alone.
            """)
        {
            interfaces, served, ends, port, print,
        };
        command.SetAction((result, _) =>
        {
            string[] names = result.GetRequiredValue(interfaces);
            DecapSettings settings = new()
            {
                Interfaces = [.. names],
                VirtualAddresses = [.. result.GetRequiredValue(served)],
                Ends = [.. result.GetValue(ends) is { Length: > 0 } given ? given : Decapsulator.AddressesOf(names)],
                GuePort = result.GetValue(port),
            };
            return result.GetValue(print) ? Print(settings) : RunAsync(settings);
        });
        return command;
    }

    private static Task<int> Print(DecapSettings settings)
    {
        foreach (string line in (string[])[.. DecapCommands.Serve(settings, settings.VirtualAddresses), .. DecapCommands.KernelTunnels(settings)])
            Console.Out.WriteLine(line);
        return Task.FromResult(ExitCode.Ok);
    }

    private static async Task<int> RunAsync(DecapSettings settings)
    {
        using Signals signals = new(endNow: () => { });
        try
        {
            using Decapsulator decapsulator = Decapsulator.Attach(settings);
            IPAddress[] missing = [.. settings.VirtualAddresses.Except(Decapsulator.AddressesOf(["lo"]))];
            await RunShellAsync(DecapCommands.Serve(settings, missing));
            Console.Out.WriteLine($"Taking packets for {string.Join(", ", settings.VirtualAddresses)} out of tunnels to {string.Join(", ", settings.Ends)} on {decapsulator.Places}.");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, signals.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await RunShellAsync(DecapCommands.StopServing(missing));
            Console.Out.WriteLine($"{decapsulator.Count(DecapCount.TakenOff)} packets taken out; dropped: {decapsulator.Count(DecapCount.NotServed)} for other "
                + $"addresses, {decapsulator.Count(DecapCount.Malformed)} malformed, {decapsulator.Count(DecapCount.Congested)} marked as congested whose sender does not know the mark.");
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is BpfException or KernelException or LabException)
        {
            Console.Error.WriteLine($"Cannot take packets out of tunnels: {e.Message}");
            return ExitCode.Failed;
        }
    }

    private static Task<string> RunShellAsync(IEnumerable<string> commands) => Tool.RunAsync("sh", ["-e"], string.Join('\n', commands));

    private static IPAddress[] Addresses(ArgumentResult result)
    {
        List<IPAddress> addresses = [];
        foreach (Token token in result.Tokens)
        {
            if (IPAddress.TryParse(token.Value, out IPAddress? address))
                addresses.Add(address);
            else
                result.AddError($"{token.Value} is not an IP address");
        }

        return [.. addresses];
    }
}
