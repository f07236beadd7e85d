using System.Diagnostics;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>tcpdump on the eth0 of a namespace, and what it says of each packet in one line.</summary>
internal sealed class Sniffer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _tcpdump;

    /// <summary>Returns when it listens.</summary>
    public Sniffer(TestNetwork network, string filter)
    {
        _tcpdump = network.Start("tcpdump", "-i", "eth0", "-nn", "-e", "-vv", "-t", "-l", "--immediate-mode", "-Z", "root", filter);
        string? said = "";
        while (said is not null && !said.Contains("listening on", StringComparison.Ordinal))
            said = _tcpdump.StandardError.ReadLine();
        Assert.True(said is not null, "tcpdump ended");
    }

    /// <summary>Waits for so many. What belongs to a packet and stands on a line of its own is joined to its first.</summary>
    public string[] Packets(int count)
    {
        List<string> packets = [];
        // The last one has come whole when tcpdump has ended, which writes what it has.
        while (packets.Count < count && Line() is { } line)
            Add(packets, line);
        using (Process kill = Process.Start("kill", $"-INT {_tcpdump.Id}"))
            kill.WaitForExit();
        while (Line() is { } line)
            Add(packets, line);
        Assert.Equal(count, packets.Count);
        return [.. packets];
    }

    public void Dispose()
    {
        if (!_tcpdump.HasExited)
            _tcpdump.Kill();
        _tcpdump.Dispose();
    }

    private string? Line()
    {
        Task<string?> line = _tcpdump.StandardOutput.ReadLineAsync();
        return line.Wait(Patience) ? line.Result : null;
    }

    private static void Add(List<string> packets, string line)
    {
        if (line.Length == 0)
            return;
        if (char.IsWhiteSpace(line[0]) && packets.Count > 0)
            packets[^1] += " " + line.Trim();
        else
            packets.Add(line);
    }
}
