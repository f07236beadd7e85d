using System.Globalization;
using Bascule.Bench.Packets;
using Bascule.Linux.Bpf;
using Bascule.Linux.Process;
using Bascule.Packets.Xdp;

// packets-bench LOAD_NAMESPACE DIRECTOR_NAMESPACE LOAD_OBJECT RESULT [--windows N] [--seconds S] [--only WORD]… [--processor N]
// Started by bench/packets/run, which has made the namespaces.

Settings settings = Settings.Of(args);
byte[] ends = File.ReadAllBytes(settings.LoadObject);
using Rig rig = new(settings.LoadNamespace, settings.DirectorNamespace, ends);
using Subjects subjects = new(rig, settings.Object);

List<Window> windows = [];
rig.AtLoad(() =>
{
    using PinnedThread pinned = new(settings.Processor);
    Console.WriteLine($"flows of the greatest set, counted one by one: {DistinctFlows():N0}");
    Console.WriteLine($"frames made and dropped at once, a second of the processor: {LoadAlone():0.0} million");
    Meter meter = new(rig, settings.Processor, TimeProvider.System);
    foreach (int bits in Settings.FlowSets)
        MeasureFlowSet(meter, bits);
    return 0;
});
Report.Write(settings, windows, rig);
return 0;

// Sent without an end to go to, every flow marking its bit: proof that the set is as large as it says.
long DistinctFlows()
{
    using ClientTraffic traffic = new(TrafficKind.Udp, 24, 0, ends, rig.Load.Mac.ToString(), rig.Director.Mac.ToString(), isMarking: true);
    traffic.Send(1 << 24);
    return traffic.DistinctFlows();
}

// Nobody is always first, which is when the caches are somebody else's.
static IEnumerable<Subject> Turned(Subject[] subjects, int round) => subjects.Select((_, i) => subjects[(i + round) % subjects.Length]);

// The load without anything behind it: in every figure, and the same for all.
double LoadAlone()
{
    const int Frames = 1 << 22;
    using ClientTraffic traffic = new(TrafficKind.Udp, 16, 0, ends, rig.Load.Mac.ToString(), rig.Director.Mac.ToString());
    TimeSpan before = Environment.CpuUsage.TotalTime;
    traffic.Send(Frames);
    return Frames / (Environment.CpuUsage.TotalTime - before).TotalSeconds / 1e6;
}

void MeasureFlowSet(Meter meter, int bits)
{
    List<ClientTraffic> kinds = [.. Enum.GetValues<TrafficKind>().Where(settings.Wants).Select(kind =>
        new ClientTraffic(kind, bits, rig.Load.Index, ends, rig.Load.Mac.ToString(), rig.Director.Mac.ToString()))];
    for (int round = 0; round < settings.Windows; round++)
    {
        foreach (IGrouping<Hook, Subject> hook in subjects.All.Where(settings.Wants).GroupBy(subject => subject.Hook))
        {
            if (hook.Key == Hook.Stack)
                rig.LeaveToKernel();
            else
                rig.Attach(hook.First().Program!, hook.First().Point);
            foreach (ClientTraffic traffic in kinds)
            {
                foreach (Subject subject in Turned([.. hook], round))
                {
                    if (subject.Program is { } program)
                        rig.Replace(program);
                    windows.Add(meter.Measure(subject, traffic, round, settings.Length / 4, settings.Length));
                }
            }
        }
    }

    foreach (ClientTraffic traffic in kinds)
        traffic.Dispose();
    Report.Print(windows.Where(window => window.FlowBits == bits));
}

/// <summary>What the command line asks for.</summary>
internal sealed record Settings(string LoadNamespace, string DirectorNamespace, string LoadObject, string Result, string? Object)
{
    /// <summary>Each of two to this power of flows.</summary>
    public static readonly int[] FlowSets = [0, 16, 24];

    private readonly List<string> _only = [];

    public int Windows { get; private set; } = 7;

    public TimeSpan Length { get; private set; } = TimeSpan.FromSeconds(0.3);

    public int Processor { get; private set; } = 1;

    public static Settings Of(string[] args)
    {
        Settings settings = new(args[0], args[1], args[2], args[3], Environment.GetEnvironmentVariable("BENCH_XDP_OBJECT"));
        for (int i = 4; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--windows": settings.Windows = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--seconds": settings.Length = TimeSpan.FromSeconds(double.Parse(args[i + 1], CultureInfo.InvariantCulture)); break;
                case "--processor": settings.Processor = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--only": settings._only.Add(args[i + 1]); break;
                default: throw new ArgumentException($"{args[i]} is none of: --windows, --seconds, --processor, --only");
            }
        }

        return settings;
    }

    /// <summary>The no-op is always measured: everything else is a share of it.</summary>
    public bool Wants(Subject subject) => subject.Name == Subjects.NoOp || Allows(subject.Name, $"{subject.Hook}");

    public bool Wants(TrafficKind kind) => Allows($"{kind}") || !_only.Exists(word => Enum.TryParse<TrafficKind>(word, ignoreCase: true, out _));

    private bool Allows(params string[] words)
    {
        List<string> asked = _only.FindAll(word => words[0] == word || Array.Exists(words, one => one.Equals(word, StringComparison.OrdinalIgnoreCase)));
        bool isAboutOthers = _only.TrueForAll(word => Enum.TryParse<TrafficKind>(word, ignoreCase: true, out _));
        return asked.Count > 0 || isAboutOthers;
    }
}

/// <summary>Everything that is measured, loaded and filled.</summary>
internal sealed class Subjects : IDisposable
{
    public const string NoOp = "no-op";

    private readonly List<IDisposable> _opened = [];

    public Subjects(Rig rig, string? foreignObject)
    {
        (string Name, Method Method)[] methods = [("dr", Method.Dr), ("tun ipip", Method.Ipip), ("tun gue", Method.Gue), ("nat", Method.Nat)];
        All.Add(new(NoOp, Hook.Native, rig.Transmit));
        foreach ((string name, Method method) in methods)
            All.Add(new(name, Hook.Native, Opened(new Ours(method, isTcx: false, rig)).Program));
        if (foreignObject is not null)
            All.Add(new(Path.GetFileNameWithoutExtension(foreignObject), Hook.Native, Foreign(foreignObject)));
        foreach ((string name, Method method) in methods)
        {
            All.Add(new(name, Hook.Generic, Opened(new Ours(method, isTcx: false, rig)).Program));
            All.Add(new(name, Hook.Tcx, Opened(new Ours(method, isTcx: true, rig)).Program));
        }

        All.Add(new("nftables DNAT", Hook.Stack, null));
    }

    public List<Subject> All { get; } = [];

    public void Dispose() => _opened.ForEach(opened => opened.Dispose());

    private T Opened<T>(T opened)
        where T : IDisposable
    {
        _opened.Add(opened);
        return opened;
    }

    // Its maps are filled by whoever brings it: pinned for that in BENCH_XDP_PINS, before BENCH_XDP_SETUP is run by the script.
    private BpfProgram Foreign(string path)
    {
        BpfObject opened = Opened(BpfObject.Open(File.ReadAllBytes(path), Path.GetFileNameWithoutExtension(path)));
        string program = Environment.GetEnvironmentVariable("BENCH_XDP_PROGRAM") ?? opened.ProgramNames[0];
        foreach (string other in opened.ProgramNames.Where(name => name != program))
            opened.LeaveOut(other);
        opened.Load();
        if (Environment.GetEnvironmentVariable("BENCH_XDP_SETUP") is { } setup)
            Foreigner.SetUp(opened, setup);
        return Opened(opened.Program(program));
    }
}
