using System.Globalization;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;
using Bascule.Testing;

namespace Bascule.Lab.Tests;

/// <summary>Tests that share the lab run one after the other: there are three real servers and one client.</summary>
[CollectionDefinition("Lab")]
public sealed class LabCollection : ICollectionFixture<LabFixture>;

/// <summary>
/// A lab of this run's own, with the real programs that its real servers run: nginx at 80, 443, 8080 and 8000 to 8009, dnsmasq at 53, our echo server at 7000, and
/// our decap where tunnels end.
/// </summary>
public sealed class LabFixture : IAsyncLifetime
{
    public const int EchoPort = 7000;

    private const string Prefix = "bascule-lab-test";

    private static readonly string[] Programs = ["nginx", "dnsmasq", "iperf3", "dig", "curl", "ping", "tcpdump", "nft", "faketime"];

    private LabNetwork? _network;

    /// <summary>Why lab tests cannot run here; null when they can.</summary>
    public static string? WhyNot { get; } = Tool.WhyNot() ?? (Programs.Where(p => !Tool.IsThere(p)).ToArray() is { Length: > 0 } missing
        ? $"lab tests need {string.Join(", ", missing)}, which ./test installs when it is run as root"
        : DatapathObject.IsIncluded ? BpfLibrary.Missing : "this build has no packet datapath in it: the machine it was made on has no clang or no libbpf-dev");

    internal LabNetwork Network => _network!;

    internal LabMachine Client => Network.Plan["client"];

    internal LabMachine Router => Network.Plan["router"];

    /// <summary>What every web server has to offer: 3 MB of no pattern.</summary>
    internal byte[] Download { get; } = new byte[3_000_000];

    internal LabMachine this[string role] => Network.Plan[role];

    public async Task InitializeAsync()
    {
        if (WhyNot is not null)
            return;
        await RemoveLeftoversAsync();
        _network = await LabNetwork.UpAsync(new LabPlan($"{Prefix}{Environment.ProcessId}"));
        new Random(1).NextBytes(Download);
        await File.WriteAllBytesAsync(Path.Combine(Network.Folder, "download"), Download);
        foreach (string name in LabPlan.RealServers)
        {
            StartWeb(name);
            StartEcho(name);
            Network.Plan[name].Start(LogOf(name, "dnsmasq"), "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root",
                "--conf-file=/dev/null", $"--pid-file={Path.Combine(Network.Folder, $"{name}-dnsmasq.pid")}",
                $"--txt-record=who.lab.test,{name}", $"--txt-record=long.lab.test,{string.Join(',', Enumerable.Repeat(new string('x', 200), 12))}",
                "--edns-packet-max=4096").Dispose();
            Network.Plan[name].Start(LogOf(name, "decap"), LabDirector.Program, "decap", "eth1", "-v", LabPlan.VirtualAddress, "-v", LabPlan.VirtualAddress6).Dispose();
        }

        foreach (string name in LabPlan.RealServers)
            await ServesAsync(name);
    }

    public async Task DisposeAsync()
    {
        if (_network is not null)
            await LabNetwork.DownAsync(new LabPlan($"{Prefix}{Environment.ProcessId}"));
    }

    /// <summary>Starts a director with these virtual servers (YAML, indented by two), and waits until it has checked every real server.</summary>
    internal Task<TestDirector> StartDirectorAsync(string virtualServers, string settings = "") =>
        TestDirector.StartAsync(Network, virtualServers, settings);

    /// <summary>Starts nginx on a real server.</summary>
    internal void StartWeb(string name)
    {
        string file = Path.Combine(Network.Folder, $"{name}-nginx.conf");
        File.WriteAllText(file, $$"""
            daemon off;
            pid {{Network.Folder}}/{{name}}-nginx.pid;
            error_log {{LogOf(name, "nginx")}};
            user root;
            worker_processes 1;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{Network.Folder}}/{{name}}-body;
              client_max_body_size 100m;
              server {
                listen 80 backlog=4096; listen 8080; listen [::]:80; listen [::]:8080; listen 443; listen 8000-8009;
                default_type text/plain;
                location / { return 200 "{{name}}\n"; }
                location /from { return 200 "{{name}} $remote_addr $server_addr:$server_port\n"; }
                location /download { root {{Network.Folder}}; }
              }
            }

            """);
        Network.Plan[name].Start(LogOf(name, "nginx"), "nginx", "-c", file).Dispose();
    }

    /// <summary>Starts the echo server on a real server.</summary>
    internal void StartEcho(string name) => Network.Plan[name]
        .Start(LogOf(name, "echo"), EchoProgram, "serve", name, EchoPort.ToString(CultureInfo.InvariantCulture)).Dispose();

    /// <summary>Waits until nginx and the echo server of a real server answer.</summary>
    internal async Task ServesAsync(string name)
    {
        await Eventually.HoldsAsync(() => File.Exists(LogOf(name, "echo")) && File.ReadAllText(LogOf(name, "echo")).Contains("listening"), $"echo serves on {name}");
        await Eventually.HoldsAsync(() => File.ReadAllText(LogOf(name, "decap")).Contains("Taking packets"), $"decap works on {name}");
        await Network.Plan[name].RunAsync("curl", "-sS", "--retry", "50", "--retry-delay", "0", "--retry-connrefused", "-o", "/dev/null", "http://127.0.0.1/");
    }

    /// <summary>Kills nginx or the echo server of a real server, does something, and starts it again whatever happens.</summary>
    internal async Task WithoutAsync(string name, string program, Func<Task> meanwhile)
    {
        await Network.Plan[name].KillAsync(program);
        try
        {
            await meanwhile();
        }
        finally
        {
            if (program == "nginx")
                StartWeb(name);
            else
                StartEcho(name);
            await ServesAsync(name);
        }
    }

    /// <summary>Asks from the client with curl.</summary>
    internal Task<string> CurlAsync(string url, params string[] arguments) =>
        Client.RunAsync("curl", ["-sS", "--fail", "--max-time", "15", .. arguments, url]);

    /// <summary>Downloads from the client with curl, and compares byte for byte.</summary>
    internal async Task DownloadsWholeAsync(string server, params string[] arguments)
    {
        string file = Path.Combine(Network.Folder, "downloaded");
        await CurlAsync($"http://{server}/download", ["--output", file, .. arguments]);
        Assert.True((await File.ReadAllBytesAsync(file)).AsSpan().SequenceEqual(Download), $"what came from {server} is not what was there");
    }

    internal static string EchoProgram => Path.Combine(AppContext.BaseDirectory, "bascule-echo");

    private string LogOf(string name, string program) => Path.Combine(Network.Folder, $"{name}-{program}.log");

    // A run that was killed could not clean up: the next does, by the process id in the name.
    private static async Task RemoveLeftoversAsync()
    {
        if (!Directory.Exists("/run/netns"))
            return;
        foreach (string lab in Directory.GetFiles("/run/netns", $"{Prefix}*").Select(path => Path.GetFileName(path)).Select(n => n[..n.LastIndexOf('-')]).Distinct().ToArray())
        {
            string id = lab[Prefix.Length..].Split('-')[0];
            if (!Directory.Exists($"/proc/{id}"))
                await LabNetwork.DownAsync(new LabPlan(lab));
        }
    }
}
