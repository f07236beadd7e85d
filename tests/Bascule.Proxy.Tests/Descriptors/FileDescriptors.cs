using System.Diagnostics;
using System.Globalization;

namespace Bascule.Proxy.Tests.Descriptors;

/// <summary>The file descriptors of this process.</summary>
internal static class FileDescriptors
{
    public static int Count() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}

/// <summary>Takes every free file descriptor away from this process for a while.</summary>
internal sealed class NoMoreDescriptors : IDisposable
{
    // A shell that is running already, since starting one takes descriptors. Soft limit only: everybody may raise it again.
    private const string Script = """
        echo ready; read go; prlimit --pid "$0" --nofile=3: && echo none; read go; prlimit --pid "$0" --nofile="$1": && echo again
        """;

    private readonly Process _shell;

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
        Assert.Equal("ready", _shell.StandardOutput.ReadLine());
    }

    public void Begin() => Go("none");

    public void End() => Go("again");

    public void Dispose()
    {
        _shell.StandardInput.Dispose();
        _shell.StandardOutput.Dispose();
        _shell.Kill();
        _shell.WaitForExit();
        _shell.Dispose();
    }

    private void Go(string expected)
    {
        _shell.StandardInput.WriteLine("go");
        _shell.StandardInput.Flush();
        Assert.Equal(expected, _shell.StandardOutput.ReadLine());
    }
}
