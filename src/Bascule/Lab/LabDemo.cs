using Bascule.Core.Api;
using Bascule.Daemon;

namespace Bascule.Lab;

/// <summary><c>bascule lab demo</c>: a tour of the packet datapath, step by step, with what it promises checked on the way.</summary>
internal sealed class LabDemo
{
    private const int Visits = 12;

    private readonly List<string> _disappointments = [];
    private readonly LabNetwork _network;
    private readonly LabDirector _director;
    private readonly TimeProvider _time;

    private LabDemo(LabNetwork network, LabDirector director, TimeProvider time)
    {
        _network = network;
        _director = director;
        _time = time;
    }

    private LabMachine Client => _network.Plan["client"];

    /// <summary>Builds the lab, shows it, removes it.</summary>
    /// <returns>0 if everything was as promised.</returns>
    public static async Task<int> RunAsync(string name)
    {
        using Signals signals = new(endNow: () => { });
        try
        {
            LabNetwork network = await LabNetwork.UpAsync(new LabPlan(name));
            LabDemo demo = new(network, await LabServices.StartAsync(network, TimeProvider.System), TimeProvider.System);
            // Ctrl-C leaves nothing behind either. What is under way then fails for want of a lab, and nobody listens.
            Task shown = demo.ShowAsync();
            if (await Task.WhenAny(shown, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, signals.Stopping)) != shown)
                return ExitCode.Interrupted;
            await shown;
            return demo.Conclude();
        }
        finally
        {
            await LabNetwork.DownAsync(new LabPlan(name));
        }
    }

    private async Task ShowAsync()
    {
        Say("1. A small data centre", $"""
            Six machines stand on this one, each a network namespace: a client, a router, the director, and the real
            servers alpha, beta and gamma, which all hold the virtual address {LabPlan.VirtualAddress} in silence.
            """);
        Show("ip netns list", string.Join('\n', _network.Plan.Machines.Select(machine => machine.Namespace)));
        await DirectRoutingAsync();
        await ExplainAsync();
        await OtherWaysAsync();
        await KillServerAsync();
        await KillDirectorAsync();
    }

    private async Task DirectRoutingAsync()
    {
        await PauseAsync();
        Say("2. Direct routing", """
            The client opens connections to the virtual address. The datapath, a program in the director's network driver, hashes
            each packet's addresses and ports to a slot of a table, writes the MAC address of that slot's real server into the
            frame, and sends it back out. The real server answers the client itself. No connection is recorded anywhere.
            """);
        await VisitAsync(LabServices.DirectPort);
        Show("bascule list -v web", await _director.AskAsync("list", "-v", "web"));
    }

    private async Task ExplainAsync()
    {
        const int Port = 40_001;
        await PauseAsync();
        Say("3. Which server, and why", """
            The daemon runs the very same program on a packet you describe, without sending it. Then the client sends that packet.
            """);
        string packet = $"tcp {LabPlan.Client}:{Port} > {LabPlan.VirtualAddress}:{LabServices.DirectPort}";
        string explained = await _director.AskAsync("explain", "--packet", packet);
        Show($"bascule explain --packet \"{packet}\"", explained);
        string answer = await CurlAsync(LabServices.DirectPort, "--local-port", $"{Port}");
        Show($"curl --local-port {Port} http://{LabPlan.VirtualAddress}/", answer);
        Expect(answer != "" && explained.Contains(LabPlan.AddressOf(answer, LabSegment.Lan), StringComparison.Ordinal),
            $"explain named another real server than {answer}, which answered");
    }

    private async Task OtherWaysAsync()
    {
        await PauseAsync();
        Say("4. Through a tunnel, and by NAT", """
            Port 8080 goes to the same real servers by way of a router: each packet is put into a UDP packet (GUE), and
            `bascule decap` on the real server takes it out. Port 8081 goes to them by NAT: the director is their router, writes
            their address and port 8080 into each packet, and its own back into each answer.
            """);
        await VisitAsync(LabServices.TunnelPort);
        await VisitAsync(LabServices.NatPort);
    }

    private async Task KillServerAsync()
    {
        await PauseAsync();
        Say("5. A real server dies", "beta's web server is killed. The check notices, the table is filled without beta, and only beta's slots change.");
        await _network.Plan["beta"].KillAsync(LabServer.Verb);
        TimeSpan took = await _director.SeesAsync(status => BetaIs(status, RealServerState.Down), _time);
        await TableTakenAsync();
        Console.Out.WriteLine($"Noticed after {took.TotalSeconds:F1} s (it is asked every second).");
        IReadOnlyDictionary<string, int> served = await VisitAsync(LabServices.DirectPort);
        Expect(!served.ContainsKey("beta"), "beta answered though it was dead");
        Show("bascule status", await _director.AskAsync("status"));
        LabServices.StartWeb(_network, "beta").Dispose();
        await _director.SeesAsync(status => BetaIs(status, RealServerState.Up), _time);
        await TableTakenAsync();
        Console.Out.WriteLine("beta is back.");
    }

    private async Task KillDirectorAsync()
    {
        await PauseAsync();
        Say("6. The director's daemon dies", """
            Killed with SIGKILL. The program and its tables stay in the kernel, so packets go on. Then the daemon starts again,
            finds everything where it was, and takes over.
            """);
        await _network.Plan["director"].KillAllAsync();
        await VisitAsync(LabServices.DirectPort);
        await VisitAsync(LabServices.NatPort);
        (await _director.StartAsync(_time)).Dispose();
        Console.Out.WriteLine("The daemon is back.");
        await VisitAsync(LabServices.NatPort);
    }

    // The status tells what the check found; the datapath is told within 100 ms.
    private Task TableTakenAsync() => Task.Delay(TimeSpan.FromMilliseconds(300), _time);

    private static bool BetaIs(DirectorStatus status, RealServerState state) => status.VirtualServers.All(v => v.RealServers[1].State == state);

    /// <summary>Asks a number of times, each on a new connection, and shows who answered.</summary>
    private async Task<IReadOnlyDictionary<string, int>> VisitAsync(int port)
    {
        List<string> answers = [];
        for (int i = 0; i < Visits; i++)
            answers.Add(await CurlAsync(port));
        Dictionary<string, int> served = answers.Where(answer => answer != "").CountBy(answer => answer).ToDictionary();
        Show($"curl http://{LabPlan.VirtualAddress}:{port}/    ({Visits} times)", string.Join(", ", served.OrderBy(p => p.Key).Select(p => $"{p.Key} answered {p.Value}")));
        Expect(answers.All(answer => answer != ""), $"{answers.Count(answer => answer == "")} of {Visits} requests to port {port} failed");
        return served;
    }

    /// <summary>The name of who answers; nothing when nobody does.</summary>
    private async Task<string> CurlAsync(int port, params string[] arguments)
    {
        try
        {
            return (await Client.RunAsync("curl", ["-sS", "--max-time", "3", .. arguments, $"http://{LabPlan.VirtualAddress}:{port}/"])).Split('\n')[0];
        }
        catch (LabException)
        {
            return "";
        }
    }

    private void Expect(bool isSo, string otherwise)
    {
        if (!isSo)
            _disappointments.Add(otherwise);
    }

    private int Conclude()
    {
        Say("The end", "Everything is removed now. To play on your own: `sudo bascule lab up`; docs/guide/lab.md tells what to look at.");
        foreach (string disappointment in _disappointments)
            Console.Error.WriteLine($"Not as promised: {disappointment}.");
        return _disappointments.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Say(string title, string text) => Console.Out.WriteLine($"\n== {title}\n\n{text.TrimEnd()}\n");

    private static void Show(string command, string output) => Console.Out.WriteLine($"  $ {command}\n  {output.TrimEnd().Replace("\n", "\n  ", StringComparison.Ordinal)}\n");

    // A reader at a terminal sets the pace; a pipe has none.
    private static async Task PauseAsync()
    {
        if (Console.IsInputRedirected)
            return;
        Console.Out.Write("[Enter] ");
        await Console.In.ReadLineAsync();
    }
}
