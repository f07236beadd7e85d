using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Something whose state changes the priority of an instance.</summary>
internal static class HaTrackSection
{
    public static readonly Setting<string> Interface = new("interface", PathForms.Interface)
    {
        Doc = "Well while it is up and has a carrier.",
        Otherwise = "not an interface",
        Source = "ours; each item tracks one thing",
        Example = "interface: eth1",
        AlsoCalled = ["track_interface"],
    };

    public static readonly Setting<IPNetwork> Route = new("route", new PrefixForm())
    {
        Doc = "Well while there is a route to it that is neither unreachable nor a black hole.",
        Otherwise = "not a route",
        Source = "ours; each item tracks one thing",
        Example = "route: 0.0.0.0/0",
    };

    public static readonly Setting<string> Process = new("process", new TextForm("the name of a program, without its path", 15, ProcessName))
    {
        Doc = "Well while at least `atLeast` processes of this name run. The kernel keeps 15 characters of it (proc(5), comm).",
        Otherwise = "not a process",
        Source = "ours; each item tracks one thing",
        Example = "process: nginx",
        AlsoCalled = ["track_process", "vrrp_track_process"],
    };

    public static readonly Setting<ImmutableArray<string>> Script = new("script", new ListForm<string>(
        new TextForm("a program by its absolute path, or an argument", 4096, (_, _) => null), new("`script` is empty", "write the program and its arguments, such as `[/usr/local/bin/ok, fast]`")))
    {
        Doc = "Well while this program ends with 0. It is run as the daemon's user, without a shell, with PATH, LANG and HOME alone in its environment.",
        Otherwise = "not a script",
        Source = "ours; each item tracks one thing",
        Example = "script: [/usr/local/bin/ok, fast]",
        AlsoCalled = ["track_script", "vrrp_script", "command", "exec"],
    };

    public static readonly Setting<string> File = new("file", PathForms.File("/run/bascule/weight"))
    {
        Doc = "A file that holds a whole number. It is well with 0; with a weight, the number times the weight is added to the priority. A file that is not there holds 0.",
        Otherwise = "not a file",
        Source = "ours; each item tracks one thing",
        Example = "file: /run/bascule/weight",
        AlsoCalled = ["track_file", "vrrp_track_file"],
    };

    public static readonly Setting<ImmutableArray<Reference>> VirtualServers = new("virtualServers", new ListForm<Reference>(
        new ReferenceForm("the name of a virtual server"), new("`virtualServers` lists none", "write the names of some, such as `[web]`")))
    {
        Doc = "Well while each of these virtual servers has at least `atLeast` real servers that are up and take connections: a director that reaches no real server yields to one that does.",
        Otherwise = "not virtual servers",
        Source = "ours; each item tracks one thing",
        Example = "virtualServers: [web]",
        AlsoCalled = ["quorum", "health"],
    };

    public static readonly Setting<int> Weight = new("weight", new CountForm(-253, 253))
    {
        Doc = "Above 0: added to the priority while it is well. Below 0: subtracted while it is not. 0: while it is not, the instance takes no part.",
        Default = 0,
        Otherwise = "0; of a file 1",
        Source = "keepalived",
        Example = "weight: -20",
    };

    public static readonly Setting<int> AtLeast = new("atLeast", new CountForm(1, 65_535))
    {
        Doc = "process, virtualServers: so many must be there.",
        Default = 1,
        Source = "keepalived quorum",
        Example = "atLeast: 1",
        AlsoCalled = ["quorum", "minimum", "count"],
    };

    public static readonly Setting<string> Name = new("name", new TextForm("a name", NameRule.Longest, (_, text) => NameRule.Any.Check(text)))
    {
        Doc = "script: what logs and `bascule ha` call it.",
        Otherwise = "the name of the program",
        Source = "ours; most instances have one script",
        Example = "name: disk",
    };

    public static readonly Setting<TimeSpan> Interval = new("interval", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "script: from the start of one run to the start of the next.",
        Default = TimeSpan.FromSeconds(1),
        Source = "keepalived vrrp_script",
        Example = "interval: 1s",
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "script: a run that takes longer is killed and counts as failed. No longer than `interval`.",
        Otherwise = "`interval`",
        Source = "keepalived vrrp_script",
        Example = "timeout: 1s",
    };

    public static readonly Setting<int> Rise = new("rise", new CountForm(1, 100))
    {
        Doc = "script: successes in a row that make it well.",
        Default = 1,
        Source = "keepalived vrrp_script",
        Example = "rise: 1",
    };

    public static readonly Setting<int> Fall = new("fall", new CountForm(1, 100))
    {
        Doc = "script: failures in a row that make it unwell.",
        Default = 1,
        Source = "keepalived vrrp_script",
        Example = "fall: 1",
    };

    public static readonly Section Section = new("track", Interface, Route, Process, Script, File, VirtualServers, Weight, AtLeast, Name, Interval, Timeout, Rise, Fall)
    {
        Doc = "Something whose state changes the priority of an instance, or keeps it from taking part: one of `interface`, `route`, `process`, `script`, `file` and `virtualServers`. It is an item of `track`.",
        Place = "in `track` of an instance",
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    private static readonly ImmutableArray<Setting> Kinds = [Interface, Route, Process, Script, File, VirtualServers];

    public static Tracked Meant(Fields fields)
    {
        int weight = fields.Get(Weight);
        if (fields.Find(Interface) is { } name)
            return new TrackedInterface(name, weight);
        if (fields.FindValue(Route) is { } destination)
            return new TrackedRoute(destination, weight);
        if (fields.Find(Process) is { } process)
            return new TrackedProcess(process, fields.Get(AtLeast), weight);
        if (fields.Find(File) is { } file)
            return new TrackedFile(file, fields.FindValue(Weight) ?? 1);
        return fields.FindValue(Script) is { } command
            ? new TrackedScript(fields.Find(Name) ?? Path.GetFileName(command[0]), new(command), fields.Get(Interval), fields.FindValue(Timeout) ?? fields.Get(Interval), fields.Get(Rise), fields.Get(Fall), weight)
            : new TrackedVirtualServers([.. fields.Get(VirtualServers).Select(v => v.Name)], fields.Get(AtLeast), weight);
    }

    private static void Relate(Fields fields, ProblemList problems)
    {
        Setting[] said = [.. Kinds.Where(fields.IsWritten)];
        if (said.Length == 0 && !problems.IsPartial)
            problems.Add(fields.At, "this item tracks nothing", $"write one of {Show.OneOf([.. Kinds.Select(k => $"`{k.Name}`")])}");
        foreach (Setting second in said.Skip(1))
            problems.Add(fields.AtOf(second), $"`{second.Name}` and `{said[0].Name}` are two things", "write an item of `track` for each");
        if (said.Length != 1)
            return;

        RefuseUnused(said[0], fields, problems);
        if (fields.FindValue(Script) is [var program, ..] && !program.StartsWith('/'))
            problems.Add(fields.AtOf(Script), $"{Show.Quoted(program)} is not the absolute path of a program", "write the program by its path, as the first item");
        if (fields.FindValue(Timeout) is { } timeout && !fields.IsBroken(Interval) && timeout > fields.Get(Interval))
            problems.Add(fields.AtOf(Timeout), "`timeout` is longer than `interval`, so a slow run would not end before the next begins", "shorten `timeout` or lengthen `interval`");
    }

    private static void RefuseUnused(Setting kind, Fields fields, ProblemList problems)
    {
        foreach (Setting setting in (Setting[])[Name, Interval, Timeout, Rise, Fall])
            Refuse(setting, kind == Script, "it is for a script");
        Refuse(AtLeast, kind == Process || kind == VirtualServers, "it is for a process and for virtual servers");

        void Refuse(Setting setting, bool isUsed, string why)
        {
            if (fields.IsWritten(setting) && !isUsed)
                problems.Add(fields.AtOf(setting), $"`{setting.Name}` means nothing beside `{kind.Name}`: {why}", "remove it");
        }
    }

    private static Complaint? ProcessName(string name, string text) =>
        text.Any(c => c is '/' || char.IsControl(c)) ? new($"{Show.Quoted(text)} is not the name of a program", "write it without its path, as `ps -o comm` shows it") : null;
}
