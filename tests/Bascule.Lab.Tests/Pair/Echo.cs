using System.Globalization;
using System.Text.Json;
using Bascule.Lab.Echo;
using Bascule.Testing;

namespace Bascule.Lab.Tests.Pair;

/// <summary>The echo server on the real servers of the pair, and visitors to it.</summary>
internal sealed class Echo : IAsyncDisposable
{
    private readonly PairFixture _lab;

    private Echo(PairFixture lab) => _lab = lab;

    /// <summary>A virtual server at port 80 that leads to it by the proxy.</summary>
    public static string Proxied => $"web: {{ address: \"{PairPlan.VirtualAddress}:80\", protocol: tcp, realServers: [ {PairSettings.Servers(LabFixture.EchoPort)} ] }}";

    /// <summary>Starts it on each, and waits until each listens.</summary>
    public static async Task<Echo> StartAsync(PairFixture lab)
    {
        foreach (string name in LabPlan.RealServers)
        {
            string log = Path.Combine(lab.Network.Folder, $"{name}-echo.log");
            File.Delete(log);
            lab[name].Start(log, LabFixture.EchoProgram, "serve", name, LabFixture.EchoPort.ToString(CultureInfo.InvariantCulture)).Dispose();
            await Eventually.HoldsAsync(() => File.Exists(log) && File.ReadAllText(log).Contains("listening", StringComparison.Ordinal), $"echo serves on {name}");
        }

        return new(lab);
    }

    /// <summary>So many visitors at a time, each with a new connection every time, from the client.</summary>
    public static async Task<VisitReport> VisitAsync(PairFixture lab, int visitors, int seconds) =>
        JsonSerializer.Deserialize<VisitReport>(await lab["client"].RunAsync(LabFixture.EchoProgram, "visit", PairPlan.VirtualAddress, "80", $"{visitors}", $"{seconds}"))!;

    public async ValueTask DisposeAsync()
    {
        foreach (string name in LabPlan.RealServers)
            await _lab[name].KillAsync("bascule-echo");
    }
}
