using System.Diagnostics;
using Bascule.Linux.Process;

namespace Bascule.Kernel.Tests;

/// <summary>A network namespace of one test, gone with everything in it at the end.</summary>
internal sealed class TestNetwork : IDisposable
{
    private static int _made;

    private readonly string _name = $"bascule-kt-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}";

    /// <param name="words">What <c>ip</c> does inside to begin with.</param>
    public TestNetwork(params ReadOnlySpan<string> words)
    {
        Ip($"netns add {_name}");
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

    /// <summary>As <c>ip netns list</c> shows it.</summary>
    public string Name => _name;

    /// <summary>Runs <c>ip</c> inside, with words between spaces.</summary>
    public void IpInside(string words) => Ip($"-n {_name} {words}");

    /// <summary>Runs some work inside.</summary>
    public T Run<T>(Func<T> work) => NetworkNamespace.Run($"/run/netns/{_name}", work);

    public void Dispose() => Ip($"netns delete {_name}");

    private static void Ip(string words)
    {
        using Process process = Process.Start(new ProcessStartInfo("ip", words.Split(' ')) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {words}: {errors}");
    }
}
