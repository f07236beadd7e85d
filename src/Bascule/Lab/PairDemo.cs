using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Roles;
using Bascule.Daemon;
using Bascule.Lab.Watch;

namespace Bascule.Lab;

/// <summary><c>bascule lab demo --pair</c>: two directors share an address; one is killed, then one hands over. What it promises is checked on the way.</summary>
internal sealed class PairDemo
{
    private const string First = "director-1", Second = "director-2";

    // What a client notices at most: three advertisements and the skew of priority 100 are 361 ms.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMilliseconds(400);

    private readonly List<string> _disappointments = [];
    private readonly Dictionary<string, LabDirector> _directors;
    private readonly Dictionary<string, Process> _processes = [];
    private readonly LabNetwork _network;
    private readonly TimeProvider _time;

    private PairDemo(LabNetwork network, TimeProvider time)
    {
        _network = network;
        _time = time;
        _directors = PairPlan.Directors.ToDictionary(name => name, name => new LabDirector(network.Plan[name], Path.Combine(network.Folder, name)));
    }

    /// <summary>Builds the pair, shows it, removes it.</summary>
    /// <returns>0 if everything was as promised.</returns>
    public static async Task<int> RunAsync(string name)
    {
        PairPlan plan = new($"{name}-pair");
        using Signals signals = new(endNow: () => { });
        try
        {
            PairDemo demo = new(await LabNetwork.UpAsync(plan), TimeProvider.System);
            Task shown = demo.ShowAsync();
            if (await Task.WhenAny(shown, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, signals.Stopping)) != shown)
                return ExitCode.Interrupted;
            await shown;
            return demo.Conclude();
        }
        finally
        {
            await LabNetwork.DownAsync(plan);
        }
    }

    private async Task ShowAsync()
    {
        Say("1. Two directors, one address", $"""
            {First} and {Second} share {PairPlan.VirtualAddress}. The Active one says so every 100 ms (VRRP), and both send each other
            signed heartbeats over two networks. Behind them: the real servers alpha, beta and gamma. Before them: a client.
            """);
        foreach (string name in LabPlan.RealServers)
            LabServices.StartWeb(_network, name).Dispose();
        foreach (string name in PairPlan.Directors)
            await StartAsync(name);
        await UntilAsync(Second, Role.Backup);
        Show($"bascule ha        (on {First})", await _directors[First].AskAsync("ha"));
        await KillAsync();
        await HandOverAsync();
    }

    private async Task KillAsync()
    {
        Say("2. The Active one dies", $"""
            {First} is killed with SIGKILL: it can say nothing and clean up nothing. The client's machine asks every 5 ms for a connection, and
            in another name who has the address. The kernel of the dead one's machine says that it has, until its lease of a second has run out;
            the client goes to the other one all the same, which announced itself. (With `gate: 250ms` the dead one's machine is silent by then.)
            """);
        await using LabWatch watch = await LabWatch.StartAsync(_network.Plan["client"], PairPlan.VirtualAddress, _time, port: 80);
        await watch.SeesAsync(s => s.What == Sight.Service, since: 0);
        await Task.Delay(TimeSpan.FromMilliseconds(500), _time);

        long killed = _time.GetTimestamp();
        _processes[First].Kill();
        await watch.SeesAsync(s => s.What == Sight.Service && s.From.Equals(Mac(Second)), killed);
        await Task.Delay(TimeSpan.FromSeconds(1.5), _time); // by then the kernel has let go of the dead one's address
        Timeline seen = await watch.StopAsync();

        Console.Out.WriteLine(new TakeoverPicture(seen, killed, Mac(First), Mac(Second), _time));
        TimeSpan outage = seen.Outage(Sight.Service);
        Expect(outage <= LongestOutage, $"nobody answered for {outage.TotalMilliseconds:F0} ms");
        Expect(seen.After(killed).Of(Sight.Owner).Last().From.Equals(Mac(Second)), "the dead director's machine still says that it has the address");
        Show($"bascule ha        (on {Second})", await _directors[Second].AskAsync("ha"));
    }

    private async Task HandOverAsync()
    {
        Say("3. A planned handover", $"""
            {First} is back, as Backup. Then `bascule handover` moves the address to it, as before maintenance, while the client sends one
            request after the other, each on a new connection.
            """);
        await StartAsync(First);
        await UntilAsync(First, Role.Backup);
        using CancellationTokenSource enough = new();
        Task<(int Served, int Failed)> requests = RequestAsync(enough.Token);
        await Task.Delay(TimeSpan.FromMilliseconds(500), _time);

        Show("bascule handover web-vip", await _directors[Second].AskAsync("handover", "web-vip"));
        await UntilAsync(First, Role.Active);
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        await enough.CancelAsync();
        (int served, int failed) = await requests;

        Console.Out.WriteLine($"  {served} requests were answered meanwhile, {failed} failed.\n");
        Expect(served > 0 && failed == 0, $"{failed} of {served + failed} requests failed in a planned handover");
        Show($"bascule ha        (on {First})", await _directors[First].AskAsync("ha"));
    }

    private async Task StartAsync(string name)
    {
        LabDirector director = _directors[name];
        Directory.CreateDirectory(Path.GetDirectoryName(director.File)!);
        await File.WriteAllTextAsync(director.File, Configuration(name, director));
        _processes[name] = await director.StartAsync(_time);
        if (name == First && _processes.Count == 1)
            await UntilAsync(First, Role.Active);
        await director.SeesAsync(status => status.VirtualServers.All(v => v.RealServers.All(r => r.State == RealServerState.Up)), _time);
    }

    /// <summary>Waits until a director has this role and the two hear each other, or the other has not been started yet.</summary>
    private async Task UntilAsync(string name, Role role)
    {
        using AdminClient client = new(_directors[name].Socket);
        for (long began = _time.GetTimestamp(); ;)
        {
            HaStatus? status = await client.HaAsync(CancellationToken.None);
            if (status is not null && status.Instances.All(i => i.Role == role) && (_processes.Count == 1 || status.Peers.All(p => p.IsHeard)))
                return;
            if (_time.GetElapsedTime(began) > TimeSpan.FromSeconds(20))
                throw new LabException($"{name} did not become {role}:\n{await _directors[name].AskAsync("ha")}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), _time);
        }
    }

    private async Task<(int Served, int Failed)> RequestAsync(CancellationToken enough)
    {
        (int served, int failed) = (0, 0);
        while (!enough.IsCancellationRequested)
        {
            try
            {
                await _network.Plan["client"].RunAsync("curl", "-sS", "--fail", "--max-time", "3", $"http://{PairPlan.VirtualAddress}/");
                served++;
            }
            catch (LabException)
            {
                failed++;
            }
        }

        return (served, failed);
    }

    private static string Configuration(string name, LabDirector director)
    {
        string other = PairPlan.OtherOf(name), folder = Path.GetDirectoryName(director.File)!;
        return $$"""
            node: {{name}}
            workers: 1
            admin: { socket: {{director.Socket}} }
            ha:
              stateFolder: {{folder}}/state
              peers:
                {{other}}: { addresses: [ {{PairPlan.LanOf(other)}}, {{PairPlan.HeartOf(other)}} ], key: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }
              instances:
                web-vip:
                  interface: eth0
                  virtualRouterId: 51
                  advertInterval: 100ms
                  preempt: false
                  addresses: [ {{PairPlan.VirtualAddress}}/24 ]
            virtualServers:
              web:
                address: {{PairPlan.VirtualAddress}}:80
                protocol: http
                check: { type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }
                realServers: [ {{string.Join(", ", LabPlan.RealServers.Select(server => $"{LabPlan.AddressOf(server, LabSegment.Inside)}:80"))}} ]

            """;
    }

    private void Expect(bool isSo, string otherwise)
    {
        if (!isSo)
            _disappointments.Add(otherwise);
    }

    private int Conclude()
    {
        Say("The end", "Everything is removed now. docs/guide/make-it-a-pair.md is for two machines of your own.");
        foreach (string disappointment in _disappointments)
            Console.Error.WriteLine($"Not as promised: {disappointment}.");
        return _disappointments.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static PhysicalAddress Mac(string director) => PhysicalAddress.Parse(PairPlan.MacOf(director));

    private static void Say(string title, string text) => Console.Out.WriteLine($"\n== {title}\n\n{text.TrimEnd()}\n");

    private static void Show(string command, string output) => Console.Out.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"  $ {command}\n  {output.TrimEnd().Replace("\n", "\n  ", StringComparison.Ordinal)}\n"));
}
