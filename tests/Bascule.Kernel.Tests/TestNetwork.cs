using System.Diagnostics;
using Bascule.Linux.Process;

namespace Bascule.Kernel.Tests;

/// <summary>A network namespace of one test, gone with everything in it at the end.</summary>
internal sealed class TestNetwork : IDisposable
{
    private static int _made;

    /// <param name="words">What <c>ip</c> does inside to begin with.</param>
    public TestNetwork(params ReadOnlySpan<string> words)
    {
        Ip($"netns add {Name}");
        try
        {
            foreach (string line in words)
                IpInside(line);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Of the namespace.</summary>
    public string Name { get; } = $"bascule-kt-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}";

    /// <summary>Runs <c>ip</c> inside, with words between spaces.</summary>
    public void IpInside(string words) => Ip($"-n {Name} {words}");

    /// <summary>Runs some work inside.</summary>
    public T Run<T>(Func<T> work) => NetworkNamespace.Run($"/run/netns/{Name}", work);

    /// <summary>Starts a program inside; its output can be read.</summary>
    public Process Start(string program, params ReadOnlySpan<string> words) =>
        Process.Start(new ProcessStartInfo("ip", ["netns", "exec", Name, program, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>Runs a program inside to its end, which must be 0, and returns what it wrote.</summary>
    public string Ask(string program, params ReadOnlySpan<string> words)
    {
        using Process process = Start(program, words);
        string output = process.StandardOutput.ReadToEnd(), errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', words)}: {errors}");
        return output;
    }

    public void Dispose() => Ip($"netns delete {Name}");

    private static void Ip(string words)
    {
        using Process process = Process.Start(new ProcessStartInfo("ip", words.Split(' ')) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {words}: {errors}");
    }
}
