using System.Globalization;

namespace Bascule.Bench.Packets;

/// <summary>Sends for a while and says what came back and what it cost.</summary>
/// <param name="rig">Both ends.</param>
/// <param name="processor">The one that all runs on; its ksoftirqd may take over a part.</param>
/// <param name="time">For the length of windows.</param>
internal sealed class Meter(Rig rig, int processor, TimeProvider time)
{
    private readonly string _softInterrupts = FindSoftInterrupts(processor);

    /// <summary>Measures, on the calling thread.</summary>
    /// <param name="warmUp">Before it counts.</param>
    /// <param name="length">Of the window.</param>
    public Window Measure(Subject subject, ClientTraffic traffic, int round, TimeSpan warmUp, TimeSpan length)
    {
        Send(traffic, warmUp);
        long received = rig.Received;
        TimeSpan used = Used();
        long begin = time.GetTimestamp();
        long sent = Send(traffic, length);
        TimeSpan wall = time.GetElapsedTime(begin);
        return new(subject, traffic.Kind, traffic.FlowBits, round, sent, rig.Received - received, Used() - used, wall);
    }

    private long Send(ClientTraffic traffic, TimeSpan length)
    {
        long begin = time.GetTimestamp();
        long sent = 0;
        while (time.GetElapsedTime(begin) < length)
            sent += traffic.SendChunk();
        return sent;
    }

    // Soft interrupts run inside the sending thread until there are too many of them; then a kernel thread of the processor goes on.
    private TimeSpan Used() => Environment.CpuUsage.TotalTime + TimeSpan.FromMicroseconds(
        long.Parse(File.ReadAllText(_softInterrupts).Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0);

    private static string FindSoftInterrupts(int processor) =>
        Directory.EnumerateDirectories("/proc").First(folder => File.Exists($"{folder}/comm") && File.ReadAllText($"{folder}/comm").Trim() == $"ksoftirqd/{processor}") + "/schedstat";
}
