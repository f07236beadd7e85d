using Bascule.Daemon;
using Bascule.Demo;

namespace Bascule.Lab;

/// <summary>The web server on each of the lab's real servers: answers with its name, at port 80 and 8080 of every address, until SIGTERM.</summary>
internal static class LabServer
{
    public const string Verb = "lab-server";

    /// <summary>Port 8080 is there for NAT, which may map ports.</summary>
    public static readonly int[] Ports = [80, 8080];

    public static async Task<int> RunAsync(string name)
    {
        using Signals signals = new(endNow: () => { });
        return await DemoServer.ServeAsync(
            name,
            options => Array.ForEach(Ports, port => options.ListenAnyIP(port)),
            async _ => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, signals.Stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing));
    }
}
