using System.Globalization;

namespace Bascule.Lab.Tests.Pair;

/// <summary>What the pair's real servers run, for as long as a test takes: nginx with a file to download at 80, which tells its name and gives out session ids, our echo server at 7000.</summary>
internal sealed class RealServers : IAsyncDisposable
{
    private readonly PairFixture _lab;

    private RealServers(PairFixture lab) => _lab = lab;

    /// <summary>What is downloaded from /download: no two of its blocks are alike, so nothing can be missing, twice or out of place.</summary>
    public byte[] Download { get; } = new byte[40 << 20];

    /// <summary>Starts them, and waits until they answer.</summary>
    public static async Task<RealServers> StartAsync(PairFixture lab)
    {
        RealServers servers = new(lab);
        new Random(4).NextBytes(servers.Download);
        string folder = lab.Network.Folder;
        await File.WriteAllBytesAsync(Path.Combine(folder, "download"), servers.Download);
        foreach (string name in LabPlan.RealServers)
        {
            string file = Path.Combine(folder, $"{name}-nginx.conf");
            await File.WriteAllTextAsync(file, $$"""
                daemon off;
                pid {{folder}}/{{name}}-nginx.pid;
                error_log {{folder}}/{{name}}-nginx.log;
                user root;
                worker_processes 1;
                events { worker_connections 1024; }
                http {
                  access_log off;
                  server {
                    listen 80;
                    location / { root {{folder}}; }
                    location = /name { return 200 {{name}}; }
                    location = /login { add_header Set-Cookie SID=$request_id; return 200 {{name}}; }
                  }
                }

                """);
            lab[name].Start(Path.Combine(folder, $"{name}-nginx.log"), "nginx", "-c", file).Dispose();
            lab[name].Start(Path.Combine(folder, $"{name}-echo.log"), LabFixture.EchoProgram, "serve", name, LabFixture.EchoPort.ToString(CultureInfo.InvariantCulture)).Dispose();
            await lab[name].RunAsync("curl", "-sS", "--retry", "50", "--retry-delay", "0", "--retry-connrefused", "--range", "0-9", "-o", "/dev/null", "http://127.0.0.1/download");
        }

        return servers;
    }

    /// <summary>Downloads from the client, at so many bytes a second, and compares byte for byte.</summary>
    public async Task DownloadsWholeAsync(string rate)
    {
        string file = Path.Combine(_lab.Network.Folder, "downloaded");
        await _lab["client"].RunAsync("curl", "-sS", "--fail", "--max-time", "60", "--limit-rate", rate, "--output", file, $"http://{PairPlan.VirtualAddress}/download");
        Assert.True((await File.ReadAllBytesAsync(file)).AsSpan().SequenceEqual(Download), "what was downloaded is not what was there");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in LabPlan.RealServers)
        {
            await _lab[name].KillAsync("nginx");
            await _lab[name].KillAsync(LabFixture.EchoProgram);
        }
    }
}
