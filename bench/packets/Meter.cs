using System.Globalization;

namespace Bascule.Bench.Packets;

/// <summary>Sends for a while and says what came back and what it cost.</summary>
/// <param name="rig">Both ends.</param>
/// <param name="processor">The one that all runs on; its ksoftirqd may take over a part.</param>
/// <param name="time">For the length of windows.</param>
internal sealed class Meter(Rig rig, int processor, TimeProvider time)
{
    // One call costs a tenth of a millisecond, which must not show; nor may one call of a slow subject be longer than a window.
    private const int SmallChunk = 1 << 14, LargeChunk = 1 << 16;
    private const double FastFrames = 1e6; // a second

    // Three times each of the flows that a table can hold: seen, confirmed, in use.
    private const int WarmUpFrames = 3 << 16;

    private readonly string _softInterrupts = FindSoftInterrupts(processor);

    /// <summary>Measures, on the calling thread.</summary>
    /// <param name="warmUp">Before it counts.</param>
    /// <param name="length">Of the window.</param>
    public Window Measure(Subject subject, ClientTraffic traffic, int round, TimeSpan warmUp, TimeSpan length)
    {
        (long warm, TimeSpan warming) = Send(traffic, warmUp, round == 0 ? WarmUpFrames : 0, SmallChunk);
        int chunk = warm / warming.TotalSeconds > FastFrames ? LargeChunk : SmallChunk;
        long received = rig.Received;
        TimeSpan used = Used();
        (long sent, TimeSpan wall) = Send(traffic, length, 0, chunk);
        return new(subject, traffic.Kind, traffic.FlowBits, round, sent, rig.Received - received, Used() - used, wall);
    }

    private (long Frames, TimeSpan Wall) Send(ClientTraffic traffic, TimeSpan atLeast, int framesAtLeast, int chunk)
    {
        long begin = time.GetTimestamp();
        long sent = 0;
        while (time.GetElapsedTime(begin) < atLeast || sent < framesAtLeast)
        {
            traffic.Send(chunk);
            sent += chunk;
        }

        return (sent, time.GetElapsedTime(begin));
    }

    // Soft interrupts run inside the sending thread until there are too many of them; then a kernel thread of the processor goes on.
    private TimeSpan Used() => Environment.CpuUsage.TotalTime + TimeSpan.FromMicroseconds(
        long.Parse(File.ReadAllText(_softInterrupts).Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0);

    private static string FindSoftInterrupts(int processor) =>
        Directory.EnumerateDirectories("/proc").First(folder => File.Exists($"{folder}/comm") && File.ReadAllText($"{folder}/comm").Trim() == $"ksoftirqd/{processor}") + "/schedstat";
}
