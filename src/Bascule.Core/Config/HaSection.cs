using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Directors that share virtual addresses.</summary>
internal static class HaSection
{
    public static readonly Setting<ImmutableArray<Named>> Peers = new("peers", new NamedForm(
        HaPeerSection.Section, new("`peers` names nobody", "name the other director, or leave `peers` out beside keepalived and other routers")))
    {
        Doc = "The other directors, each under its `node`. They tell each other by heartbeats what they know, and state follows the addresses.",
        Otherwise = "none: beside keepalived, or anything else that speaks VRRP alone",
        Source = "ours; VRRP itself needs no names",
        Example = "peers: { director-2: { addresses: [10.0.0.2, 10.1.0.2], key: { file: /etc/bascule/ha.key } } }",
        AlsoCalled = ["peer", "directors", "nodes", "backup"],
    };

    public static readonly Setting<ImmutableArray<Named>> Instances = new("instances", new NamedForm(
        HaInstanceSection.Section, new("there are no instances, so there is no address to share", "write at least one, such as `web-vip: { interface: eth0, virtualRouterId: 51, addresses: [192.0.2.10/24] }`")))
    {
        Doc = "The virtual routers, each under a name of your choice, the same on all directors. Logs, `bascule ha` and `bascule handover` use it.",
        Example = "instances: { web-vip: { interface: eth0, virtualRouterId: 51, addresses: [192.0.2.10/24] } }",
        AlsoCalled = ["vrrp_instance", "vrrp", "vips", "addresses", "virtualRouters"],
    };

    public static readonly Setting<ImmutableArray<Group>> SyncGroups = new("syncGroups", new GroupsForm(
        new ListForm<Reference>(new ReferenceForm("the name of an instance"), new("this group has no instances", "list at least two")), new("`syncGroups` has none", "write one, such as `both: [web-vip, inside-vip]`, or leave it out")))
    {
        Doc = "Instances that are Active or Backup together, such as the addresses on both sides of a router. An instance is in one group at most.",
        Otherwise = "each instance for itself",
        Source = "keepalived vrrp_sync_group",
        Example = "syncGroups: { both: [web-vip, inside-vip] }",
        AlsoCalled = ["vrrp_sync_group", "groups", "group"],
    };

    public static readonly Setting<int> Port = new("port", new CountForm(1, 65_535))
    {
        Doc = "Where directors talk to each other: heartbeats over UDP, state over TCP. The same on all directors.",
        Default = 8112,
        Source = "ours; IANA has given it to nobody",
        Example = "port: 8112",
        AlsoCalled = ["udpport", "heartbeat_port"],
    };

    public static readonly Setting<TimeSpan> HeartbeatInterval = new("heartbeatInterval", new DurationForm(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)))
    {
        Doc = "Between two heartbeats on one link.",
        Otherwise = "a quarter of the shortest `advertInterval`, 20ms to 1s",
        Source = "ours; several are lost before one advertisement is missed",
        Example = "heartbeatInterval: 25ms",
        AlsoCalled = ["keepalive", "heartbeat", "heartbeat_interval"],
    };

    public static readonly Setting<TimeSpan> BackupCheckInterval = new("backupCheckInterval", new DurationForm(TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)))
    {
        Doc = "Real servers of virtual servers whose address another director has are checked at most this often, so that the Backup knows them when it takes over.",
        Default = TimeSpan.FromSeconds(10),
        Source = "ours; a fifth of the usual checks, and no real server more than ten seconds out of date",
        Example = "backupCheckInterval: 10s",
    };

    public static readonly Setting<TimeSpan> HandoverTimeout = new("handoverTimeout", new DurationForm(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)))
    {
        Doc = "How long a director that hands over goes on carrying what is open.",
        Default = TimeSpan.FromSeconds(30),
        Source = "as `shutdownTimeout`",
        Example = "handoverTimeout: 30s",
    };

    public static readonly Setting<string> StateFolder = new("stateFolder", PathForms.Folder("the absolute path of a folder", "write a path such as /var/lib/bascule"))
    {
        Doc = "Folder in which the history of the configuration is kept.",
        Default = "/var/lib/bascule",
        Source = "Filesystem Hierarchy Standard 3.0 §5.8",
        Example = "stateFolder: /var/lib/bascule",
        AlsoCalled = ["state"],
    };

    public static readonly Setting<bool> ShareConfiguration = new("shareConfiguration", new SwitchForm())
    {
        Doc = "Whether a change of the configuration on one director is made on all. `node`, `ha`, `admin`, `packets`, `workers`, `notify` and `stateFile` stay each director's own.",
        Default = false,
        Source = "ours; nobody's file is written without being asked",
        Example = "shareConfiguration: true",
        AlsoCalled = ["syncConfiguration", "config_sync"],
    };

    public static readonly Setting<int> RealtimePriority = new("realtimePriority", new CountForm(0, 99))
    {
        Doc = "Priority under SCHED_RR of the thread that decides (sched(7)), so that a busy machine does not make it late. 0: like any other thread. Where it is not allowed the log says so.",
        Default = 50,
        Source = "keepalived's examples; above ordinary work, below the kernel's own watchdogs",
        Example = "realtimePriority: 50",
        AlsoCalled = ["vrrp_rt_priority", "vrrp_priority"],
    };

    public static readonly Section Section = new("ha",
        Peers, Instances, SyncGroups, Port, HeartbeatInterval, BackupCheckInterval, HandoverTimeout, StateFolder, ShareConfiguration, RealtimePriority)
    {
        Doc = "Directors that share virtual addresses: one has each, another takes it when that one dies, hangs or is stopped. Needs root.",
        Place = "in `ha`",
        Rule = (_, fields, problems) => HaRules.Relate(fields, problems),
    };

    public static HaSettings Meant(Fields fields) => new()
    {
        Peers = [.. (fields.FindValue(Peers) ?? []).Select(p => HaPeerSection.Meant(p.Name, p.Fields))],
        Instances = [.. fields.Get(Instances).Select(i => HaInstanceSection.Meant(i.Name, i.Fields))],
        SyncGroups = [.. (fields.FindValue(SyncGroups) ?? []).Select(g => new SyncGroup(g.Name, [.. g.Members.Select(m => m.Name)]))],
        Port = fields.Get(Port),
        HeartbeatInterval = fields.FindValue(HeartbeatInterval),
        BackupCheckInterval = fields.Get(BackupCheckInterval),
        HandoverTimeout = fields.Get(HandoverTimeout),
        StateFolder = fields.Get(StateFolder),
        SharesConfiguration = fields.Get(ShareConfiguration),
        RealtimePriority = fields.Get(RealtimePriority),
    };
}

/// <summary>Another director.</summary>
internal static class HaPeerSection
{
    public static readonly Setting<ImmutableArray<IPAddress>> Addresses = new("addresses", new ListForm<IPAddress>(
        new MachineForm(takesLinkLocal: false), new("`addresses` lists none, so the peer could not be reached", "list its address on each network that both directors are on")))
    {
        Doc = "Its own addresses, not virtual ones: one on each network that both directors are on. Heartbeats go to each, so that one broken cable is not taken for a dead director.",
        Example = "addresses: [10.0.0.2, 10.1.0.2]",
        AlsoCalled = ["address", "links", "hosts", "ip"],
    };

    public static readonly Setting<Fields> Key = new("key", HaSecretSection.Peer.Section)
    {
        Doc = "A secret that only these two directors know. Everything they tell each other is authenticated with it, and state is encrypted.",
        Example = "key: { file: /etc/bascule/ha.key }",
        AlsoCalled = ["secret", "password", "psk", "authkey"],
    };

    public static readonly Section Section = new("peer", Addresses, Key)
    {
        Doc = "Another director.",
        Place = "in a peer",
        Rule = (_, fields, problems) => RefuseTwice(fields, problems),
    };

    public static HaPeer Meant(string name, Fields fields) => new(name, new(fields.Get(Addresses)), HaSecretSection.Peer.Meant(fields.Get(Key)));

    private static void RefuseTwice(Fields fields, ProblemList problems)
    {
        foreach (IPAddress twice in (fields.FindValue(Addresses) ?? []).GroupBy(a => a).Where(g => g.Count() > 1).Select(g => g.Key))
            problems.Add(fields.AtOf(Addresses), $"{twice} is listed twice", "keep one; another link needs another address");
    }
}
