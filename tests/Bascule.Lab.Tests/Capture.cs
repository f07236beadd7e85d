using System.Diagnostics;
using System.Globalization;

namespace Bascule.Lab.Tests;

/// <summary>tcpdump on one port of one machine, and what it says about each packet.</summary>
internal sealed class Capture : IAsyncDisposable
{
    private static readonly string[] Wrong = ["incorrect", "bad cksum", "bad udp cksum", "wrong icmp cksum", "bad icmp6 cksum", "bad vrrp cksum", "truncated"];

    private readonly Process _tcpdump;
    private readonly string _file;

    private Capture(Process tcpdump, string file)
    {
        _tcpdump = tcpdump;
        _file = file;
    }

    /// <summary>Starts it, and waits until it listens.</summary>
    public static async Task<Capture> StartAsync(LabNetwork network, LabMachine machine, string port, string filter)
    {
        string file = Path.Combine(network.Folder, $"{machine.Role}-{port}.pcap");
        File.Delete(file);
        Process tcpdump = machine.StartTalking("tcpdump", "-i", port, "-w", file, "-U", "--immediate-mode", "-Z", "root", filter);
        string? said = "";
        while (said is not null && !said.Contains("listening on", StringComparison.Ordinal))
            said = await tcpdump.StandardError.ReadLineAsync();
        Assert.True(said is not null, $"tcpdump on {port} of {machine.Role} ended");
        return new(tcpdump, file);
    }

    /// <summary>Ends it, and returns what came: a string for each packet, addresses and ports as numbers, checksums verified.</summary>
    public async Task<string[]> PacketsAsync()
    {
        await StopAsync();
        string text = await Tool.RunAsync("tcpdump", ["-nn", "-vv", "-t", "-r", _file]);
        List<string> packets = [];
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // A packet's first line begins at the margin; what belongs to it is indented.
            if (char.IsWhiteSpace(line[0]) && packets.Count > 0)
                packets[^1] += line;
            else
                packets.Add(line);
        }

        return [.. packets];
    }

    /// <summary>As <see cref="PacketsAsync"/>, and there are some, all of them with right checksums.</summary>
    public async Task<string[]> RightPacketsAsync()
    {
        string[] packets = await PacketsAsync();
        Assert.NotEmpty(packets);
        Assert.DoesNotContain(packets, packet => Wrong.Any(word => packet.Contains(word, StringComparison.OrdinalIgnoreCase)));
        return packets;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _tcpdump.Dispose();
    }

    private async Task StopAsync()
    {
        if (!_tcpdump.HasExited)
            await Tool.RunAsync("sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -INT {_tcpdump.Id}")]);
        await _tcpdump.WaitForExitAsync();
    }
}
