using System.Collections.Immutable;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Config;

/// <summary>The packet datapath as a whole.</summary>
internal static class PacketsSection
{
    public static readonly Setting<ImmutableArray<string>> Interfaces = new("interfaces", new ListForm<string>(
        PathForms.Interface, new("there are no interfaces, so no packet would be seen", "list those on which clients' packets come in, such as `[eth0]`")))
    {
        Doc = "Interfaces the datapath is attached to: those on which clients' packets come in and, for nat, those on which real servers' answers come in.",
        Example = "interfaces: [eth0]",
        AlsoCalled = ["interface", "devices", "device", "nics", "dev"],
    };

    public static readonly Setting<AttachMode> Attach = new("attach", new ChoiceForm<AttachMode>(
        new("auto", AttachMode.Auto, "The first of native, generic and tcx that the interface takes. `bascule status` says which and why."),
        new("native", AttachMode.Native, "XDP in the driver: the fastest.", "driver", "drv", "xdpdrv", "xdp"),
        new("generic", AttachMode.Generic, "XDP in the kernel's receive path: for drivers without XDP.", "skb", "xdpgeneric"),
        new("tcx", AttachMode.Tcx, "tcx ingress: works with every driver from Linux 6.6.", "tc")))
    {
        Doc = "Where on the interface it is attached.",
        Default = AttachMode.Auto,
        Source = "ours; the fastest that works",
        Example = "attach: auto",
        AlsoCalled = ["mode"],
    };

    public static readonly Setting<string> State = new("state", PathForms.Folder("the absolute path of a folder on a bpffs", "write a path below a bpffs, such as /sys/fs/bpf/bascule"))
    {
        Doc = "Folder on a bpffs (bpf(8)) in which the datapath is pinned, so that a restart of the daemon loses no packet and no flow. Two directors on one machine need two.",
        Default = PacketSettings.UsualStateFolder,
        Source = "where systemd mounts the bpffs",
        Example = "state: /sys/fs/bpf/bascule",
        AlsoCalled = ["pins", "pinPath", "bpffs"],
    };

    public static readonly Setting<int> Flows = new("flows", new CountForm(1024, 67_108_864))
    {
        Doc = "Flows that can be recorded at a time, of each address family; about 120 bytes of kernel memory each (IPv6: 160), twice that for nat. When full, new flows of nat are refused, the others go by hash without being recorded.",
        Default = 1_048_576,
        Source = "ours; net.netfilter.nf_conntrack_max is 262,144 on small machines and too small for a director",
        Example = "flows: 1048576",
        AlsoCalled = ["connections", "maxFlows", "conn_tab_bits", "flowTable"],
    };

    public static readonly Setting<Fields> Flood = new("flood", FloodSection.Section)
    {
        Doc = "When the flood governor acts.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "flood: { newFlowsPerSecond: 100000 }",
    };

    public static readonly Setting<Fields> HashKey = new("hashKey", HashKeySection.Section)
    {
        Doc = "Secret of the keyed hash, which keeps attackers from choosing their real server. Directors that take over from each other need the same.",
        Default = Fields.Nothing,
        Otherwise = "with `ha.peers` derived from the key shared with them (with the first of them in order of name), so that both have the same; else made at the first start and kept with `state`",
        Example = "hashKey: { file: /etc/bascule/hash.key }",
    };

    public static readonly Section Section = new("packets", Interfaces, Attach, State, Flows, Flood, HashKey)
    {
        Doc = "The packet datapath: carries virtual servers whose `forward` is `nat`, `dr` or `tun` in the kernel, packet by packet. Needs root.",
        Place = "in `packets`",
        Rule = (_, fields, problems) => RefuseTwice(fields, problems),
    };

    /// <param name="ha">Who may take over, and then has to hash as this director does; null: nobody.</param>
    public static PacketSettings Meant(Fields fields, HaSettings? ha) => new()
    {
        Interfaces = new(fields.Get(Interfaces)),
        Attach = fields.Get(Attach),
        StateFolder = fields.Get(State),
        Flows = fields.Get(Flows),
        FloodNewFlowsPerSecond = fields.Get(Flood).Get(FloodSection.NewFlowsPerSecond),
        HashKey = HashKeySection.Meant(fields.Get(HashKey)) ?? Shared(ha),
    };

    private static SharedHashKey? Shared(HaSettings? ha) =>
        ha?.KeyPeer is { } first ? new(first.Name, first.Key) : null;

    private static void RefuseTwice(Fields fields, ProblemList problems)
    {
        foreach (string name in (fields.FindValue(Interfaces) ?? []).GroupBy(i => i).Where(g => g.Count() > 1).Select(g => g.Key))
            problems.Add(fields.AtOf(Interfaces), $"the interface {name} is listed twice", "keep one");
    }
}

/// <summary>When the flood governor acts.</summary>
internal static class FloodSection
{
    public static readonly Setting<int> NewFlowsPerSecond = new("newFlowsPerSecond", new CountForm(0, 100_000_000))
    {
        Doc = "New flows a second, of one processor, above which the governor acts: connections are chosen by hash without state, and the first SYN of a source never seen is dropped once (its retransmission passes). 0: never.",
        Default = 100_000,
        Source = "ours; ten times what a busy site opens, a tenth of what a flood brings",
        Example = "newFlowsPerSecond: 100000",
        AlsoCalled = ["synsPerSecond", "threshold"],
    };

    public static readonly Section Section = new("flood", NewFlowsPerSecond)
    {
        Doc = "When the flood governor acts.",
        Place = "in `flood` of `packets`",
    };
}

/// <summary>Where the secret of the keyed hash comes from.</summary>
internal static class HashKeySection
{
    private const int Digits = 2 * FlowHashKey.Size;

    public static readonly Setting<string> Key = new("key", new TextForm($"{Digits} hexadecimal digits", Digits, HexDigits))
    {
        Doc = "The secret itself. Whoever may read the file knows it; `openssl rand -hex 16` makes one.",
        Otherwise = "made at the first start and kept with `state`",
        Source = "ours; a director alone needs no one to know it",
        Example = "key: 0123456789abcdef0123456789abcdef",
    };

    public static readonly Setting<string> File = new("file", PathForms.File("/etc/bascule/hash.key"))
    {
        Doc = "A file that holds the secret, read when the daemon starts.",
        Otherwise = "made at the first start and kept with `state`",
        Source = "ours; a director alone needs no one to know it",
        Example = "file: /etc/bascule/hash.key",
    };

    public static readonly Section Section = new("hashKey", Key, File)
    {
        Doc = "Secret of the keyed hash: 32 hexadecimal digits, or the file that holds them.",
        Place = "in `hashKey` of `packets`",
        Short = Key,
        Rule = (_, fields, problems) => RefuseBoth(fields, problems),
    };

    /// <summary>Null when nothing is said.</summary>
    public static HashKeySource? Meant(Fields fields) =>
        fields.Find(File) is { } file ? new HashKeyFile(file)
        : fields.Find(Key) is { } key ? new GivenHashKey(FlowHashKey.From(Convert.FromHexString(key)))
        : null;

    private static void RefuseBoth(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Key) && fields.IsWritten(File))
            problems.Add(fields.AtOf(File), "`key` and `file` say two things about one secret", "keep one of them");
    }

    // Never quotes what was written: it may be most of the secret.
    private static Complaint? HexDigits(string name, string text) =>
        text.Length == Digits && text.All(char.IsAsciiHexDigit) ? null : new($"`{name}` is not {Digits} hexadecimal digits", "`openssl rand -hex 16` makes them");
}
