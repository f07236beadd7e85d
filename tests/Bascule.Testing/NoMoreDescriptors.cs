using System.Diagnostics;
using System.Globalization;

namespace Bascule.Testing;

/// <summary>Takes every free file descriptor away from this process for a while.</summary>
public sealed class NoMoreDescriptors : IDisposable
{
    // A shell that is running already, since starting one takes descriptors. Soft limit only: everybody may raise it again.
    private const string Script = """
        echo ready; read go; prlimit --pid "$0" --nofile=3: && echo none; read go; prlimit --pid "$0" --nofile="$1": && echo again
        """;

    /// <summary>More than a test keeps busy.</summary>
    private const int Threads = 16;

    private readonly Process _shell;

    /// <summary>Prepares it; nothing is taken away yet.</summary>
    public NoMoreDescriptors()
    {
        string limit = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        ProcessStartInfo start = new("sh", ["-c", Script, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), limit])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _shell = Process.Start(start)!;
        Expect("ready");
        StartThreads();
    }

    /// <summary>From now on nothing can be opened.</summary>
    public void Begin() => Go("none");

    /// <summary>From now on everything can be opened again.</summary>
    public void End() => Go("again");

    /// <inheritdoc/>
    public void Dispose()
    {
        _shell.StandardInput.Dispose();
        _shell.StandardOutput.Dispose();
        _shell.Kill();
        _shell.WaitForExit();
        _shell.Dispose();
    }

    // The runtime needs a descriptor to start a thread: without one it throws OutOfMemoryException, and where the pool's own thread does, the process ends.
    private static void StartThreads()
    {
        ThreadPool.GetMinThreads(out int workers, out int forIo);
        ThreadPool.SetMinThreads(int.Max(workers, Threads), forIo); // so that none waits for its turn
        using Barrier all = new(Threads);
        Task.WaitAll([.. Enumerable.Range(0, Threads).Select(_ => Task.Run(() => all.SignalAndWait()))]);
        Task.Delay(1).Wait(); // and the thread of the timers
        ThreadPool.SetMinThreads(workers, forIo);
    }

    private void Go(string expected)
    {
        _shell.StandardInput.WriteLine("go");
        _shell.StandardInput.Flush();
        Expect(expected);
    }

    private void Expect(string word)
    {
        if (_shell.StandardOutput.ReadLine() is var said && said != word)
            throw new InvalidOperationException($"prlimit did not do its work: expected {word}, heard {said}");
    }
}
