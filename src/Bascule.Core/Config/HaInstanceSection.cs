using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>One virtual router: addresses, and how it is decided who has them. RFC 9568 §6.1.</summary>
internal static class HaInstanceSection
{
    /// <summary>RFC 9568 §5.2.7: twelve bits of centiseconds.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(40_950);

    public static readonly Setting<string> Interface = new("interface", PathForms.Interface)
    {
        Doc = "The interface it speaks on, and that the addresses are put on. It is tracked: while it is down, the instance takes no part.",
        Example = "interface: eth0",
        AlsoCalled = ["dev", "device", "nic"],
    };

    public static readonly Setting<int> VirtualRouterId = new("virtualRouterId", new CountForm(1, 255))
    {
        Doc = "The same on all directors of these addresses, and on its network of nobody else (RFC 9568 §5.2.3).",
        Example = "virtualRouterId: 51",
        AlsoCalled = ["virtual_router_id", "vrid", "id"],
    };

    public static readonly Setting<int> Priority = new("priority", new CountForm(1, 255))
    {
        Doc = "The highest is Active. 255 says that the addresses are this machine's own. Give each director another: of equal ones the higher IP address wins.",
        Default = 100,
        Source = "RFC 9568 §6.1",
        Example = "priority: 150",
        AlsoCalled = ["state", "prio"],
    };

    public static readonly Setting<int> Version = new("version", new CountForm(2, 3))
    {
        Doc = "Of VRRP: 3 (RFC 9568) or, beside routers that know no other, 2 (RFC 3768: IPv4, whole seconds).",
        Default = 3,
        Source = "RFC 9568; keepalived's default is 2",
        Example = "version: 3",
        AlsoCalled = ["vrrp_version"],
    };

    public static readonly Setting<TimeSpan> AdvertInterval = new("advertInterval", new DurationForm(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(255)))
    {
        Doc = "How often the Active director speaks. Version 3: hundredths of a second up to 40s950ms. Version 2: whole seconds, the same on all directors.",
        Default = TimeSpan.FromSeconds(1),
        Source = "RFC 9568 §6.1",
        Example = "advertInterval: 100ms",
        AlsoCalled = ["advert_int", "advertisementInterval", "interval"],
    };

    public static readonly Setting<int> MissedAdvertisements = new("missedAdvertisements", new CountForm(2, 100))
    {
        Doc = "Advertisements that may be missing before a Backup takes over; the same on all directors.",
        Default = 3,
        Source = "RFC 9568 §6.1: Active_Down_Interval",
        Example = "missedAdvertisements: 3",
        AlsoCalled = ["down_timer_adverts"],
    };

    public static readonly Setting<ImmutableArray<Fields>> Addresses = new("addresses", new ListForm<Fields>(
        HaAddressSection.Section, new("there are no addresses, so there is nothing to take over", "list at least one under `addresses`, such as `- 192.0.2.10/24`")))
    {
        Doc = "The addresses that move together. All but excluded ones are of one family; the same on all directors.",
        Example = "addresses: [192.0.2.10/24]",
        AlsoCalled = ["virtual_ipaddress", "virtual_ipaddress_excluded", "virtualAddresses", "vip", "vips", "address"],
    };

    public static readonly Setting<ImmutableArray<Fields>> Routes = new("routes", new ListForm<Fields>(
        HaRouteSection.Section, new("`routes` lists none", "list some, or leave `routes` out")))
    {
        Doc = "Routes that are there only where it is Active.",
        Otherwise = "none",
        Source = "keepalived virtual_routes",
        Example = "routes: [{ to: 0.0.0.0/0, via: 192.0.2.1 }]",
        AlsoCalled = ["virtual_routes", "route"],
    };

    public static readonly Setting<ImmutableArray<Fields>> Rules = new("rules", new ListForm<Fields>(
        HaRuleSection.Section, new("`rules` lists none", "list some, or leave `rules` out")))
    {
        Doc = "Routing rules that are there only where it is Active.",
        Otherwise = "none",
        Source = "keepalived virtual_rules",
        Example = "rules: [{ from: 192.0.2.10/32, table: 100 }]",
        AlsoCalled = ["virtual_rules", "rule"],
    };

    public static readonly Setting<ImmutableArray<IPAddress>> Unicast = new("unicast", new ListForm<IPAddress>(
        new MachineForm(takesLinkLocal: true), new("`unicast` lists nobody, so nobody would hear it", "list the other directors' addresses, or leave `unicast` out for multicast")))
    {
        Doc = "The other directors' addresses on this network: for networks that carry no multicast, as most clouds'. Only their messages are taken.",
        Otherwise = "multicast",
        Source = "RFC 9568 §5.1.1",
        Example = "unicast: [192.0.2.2]",
        AlsoCalled = ["unicast_peer", "unicastPeers", "peers"],
    };

    public static readonly Setting<IPAddress> Source = new("source", new MachineForm(takesLinkLocal: true))
    {
        Doc = "The address it speaks from; one of this machine's own.",
        Otherwise = "the interface's first of the family; for IPv6 its link-local one",
        Source = "RFC 9568 §5.1.1.1, §5.1.2.1",
        Example = "source: 192.0.2.1",
        AlsoCalled = ["mcast_src_ip", "unicast_src_ip", "src", "local"],
    };

    public static readonly Setting<Fields> Preempt = new("preempt", HaPreemptSection.Section)
    {
        Doc = "Whether it takes over from a director with a lower priority that serves.",
        Default = Fields.Nothing,
        Otherwise = "`true`, at once",
        Example = "preempt: { delay: 5s }",
        AlsoCalled = ["nopreempt", "preempt_delay"],
    };

    public static readonly Setting<bool> Accept = new("accept", new SwitchForm())
    {
        Doc = "Whether packets to its addresses are for this machine. The proxy needs it; with `false` only the datapath serves them.",
        Default = true,
        Source = "ours; RFC 9568 §6.1 has false, for routers",
        Example = "accept: true",
        AlsoCalled = ["no_accept", "acceptMode"],
    };

    public static readonly Setting<ChecksumForm> Checksum = new("checksum", new ChoiceForm<ChecksumForm>(
        new("pseudoHeader", ChecksumForm.PseudoHeader, "Over a pseudo-header and the message, as RFC 5798, keepalived and FRR have it.", "rfc5798", "pseudo-header"),
        new("rfc9568", ChecksumForm.MessageOnly, "Over the message alone, as RFC 9568 §5.2.8 says and version 2 had it.", "v3_checksum_as_v2", "message")))
    {
        Doc = "Version 3 over IPv4: what the checksums that we send cover. Both are taken from others, and counted.",
        Default = ChecksumForm.PseudoHeader,
        Source = "keepalived and FRR",
        Example = "checksum: pseudoHeader",
        AlsoCalled = ["v3_checksum_as_v2", "checksum-with-ipv4-pseudoheader"],
    };

    public static readonly Setting<Fields> Authentication = new("authentication", HaAuthSection.Section)
    {
        Doc = "How messages prove who sent them.",
        Default = Fields.Nothing,
        Otherwise = "they do not: whoever is on the network may send them",
        Example = "authentication: { hmac: { keys: { 1: { file: /etc/bascule/vrrp.key } } } }",
        AlsoCalled = ["auth", "auth_type", "auth_pass", "auth_hmac"],
    };

    public static readonly Setting<bool> VirtualMac = new("virtualMac", new SwitchForm())
    {
        Doc = "Whether the addresses have the virtual MAC of RFC 9568 §7.3, on an interface of their own (a macvlan). It moves with them, so that nobody needs to learn another.",
        Default = false,
        Source = "keepalived; switches and hypervisors often refuse MACs that they do not know",
        Example = "virtualMac: true",
        AlsoCalled = ["use_vmac", "vmac"],
    };

    public static readonly Setting<Fields> Announce = new("announce", HaAnnounceSection.Section)
    {
        Doc = "How the network is told where the addresses are: gratuitous ARP and unsolicited Neighbor Advertisements.",
        Default = Fields.Nothing,
        Otherwise = "each of its settings has its default",
        Example = "announce: { repeat: 5, delay: 5s, refresh: 1m }",
        AlsoCalled = ["garp", "garp_master_delay", "garp_master_repeat", "garp_master_refresh"],
    };

    public static readonly Setting<WordOrDuration> Lease = new("lease", new WordOrDurationForm(DurationForm.WholeSeconds(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), "auto", "off"))
    {
        Doc = "How long the kernel keeps the addresses after the director last said that it is well: a director that is killed or frozen loses them without anybody's help. Whole seconds, for the kernel counts them so. `off`: it keeps them.",
        Default = new("auto", default),
        Otherwise = "`auto`: the longest whole seconds below `missedAdvertisements` times `advertInterval`, at least 1s",
        Source = "ours; the addresses are gone before the other director takes them",
        Example = "lease: 2s",
    };

    public static readonly Setting<WordOrDuration> Gate = new("gate", new WordOrDurationForm(new DurationForm(TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1)), "off"))
    {
        Doc = "A second lease, finer than a second, by nftables: once it has run out, packets to the addresses are dropped. For takeovers faster than a second. Needs `nft`.",
        Default = new("off", default),
        Source = "ours; it takes nftables, and a lease of whole seconds is enough for the usual takeover",
        Example = "gate: 300ms",
    };

    public static readonly Setting<ListenWhen> Listen = new("listen", new ChoiceForm<ListenWhen>(
        new("always", ListenWhen.Always, "On every director, all the time: the first connection after a takeover finds a listener."),
        new("active", ListenWhen.Active, "Only where the instance is Active: for directors that are real servers too, and would send each other's packets back (dr, tun).")))
    {
        Doc = "When the proxy listens on the addresses, and the datapath takes packets to them.",
        Default = ListenWhen.Always,
        Source = "ours; nothing has to be started at a takeover",
        Example = "listen: always",
    };

    public static readonly Setting<TimeSpan> ConflictProbe = new("conflictProbe", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(1)))
    {
        Doc = "How often the Active director asks the network whether somebody else has the addresses (RFC 5227). 0s: never.",
        Default = TimeSpan.FromSeconds(10),
        Source = "ours; often enough to see a second holder before a person does",
        Example = "conflictProbe: 10s",
    };

    public static readonly Setting<ImmutableArray<Fields>> Track = new("track", new ListForm<Fields>(
        HaTrackSection.Section, new("`track` lists nothing", "list something, or leave `track` out")))
    {
        Doc = "What else decides.",
        Otherwise = "nothing but the instance's own interface",
        Source = "keepalived",
        Example = "track: [{ interface: eth1, weight: -20 }]",
        AlsoCalled = ["track_interface", "track_script", "track_file", "track_process", "track_bfd", "tracking"],
    };

    public static readonly Section Section = new("instance",
        Interface, VirtualRouterId, Priority, Version, AdvertInterval, MissedAdvertisements, Addresses, Routes, Rules, Unicast, Source,
        Preempt, Accept, Checksum, Authentication, VirtualMac, Announce, Lease, Gate, Listen, ConflictProbe, Track)
    {
        Doc = "A virtual router (VRRP, RFC 9568): addresses that one director has at a time, and how it is decided which.",
        Place = "in an instance",
        Rule = HaInstanceRules.Relate,
    };

    public static HaInstance Meant(string name, Fields fields)
    {
        Fields preempt = fields.Get(Preempt);
        TimeSpan advertInterval = fields.Get(AdvertInterval);
        int missed = fields.Get(MissedAdvertisements);
        return new()
        {
            Name = name,
            Interface = fields.Get(Interface),
            VirtualRouterId = (byte)fields.Get(VirtualRouterId),
            Priority = (byte)fields.Get(Priority),
            Version = (VrrpVersion)fields.Get(Version),
            AdvertInterval = advertInterval,
            MissedAdvertisements = missed,
            Addresses = [.. fields.Get(Addresses).Select(HaAddressSection.Meant)],
            Routes = [.. (fields.FindValue(Routes) ?? []).Select(HaRouteSection.Meant)],
            Rules = [.. (fields.FindValue(Rules) ?? []).Select(HaRuleSection.Meant)],
            Unicast = new(fields.FindValue(Unicast) ?? []),
            Source = fields.Find(Source),
            Preempts = preempt.Get(HaPreemptSection.Enabled),
            PreemptDelay = preempt.Get(HaPreemptSection.Delay),
            Accepts = fields.Get(Accept),
            Checksum = fields.Get(Checksum),
            Authentication = HaAuthSection.Meant(fields.Get(Authentication), advertInterval),
            VirtualMac = fields.Get(VirtualMac),
            Announce = HaAnnounceSection.Meant(fields.Get(Announce)),
            Lease = MeantLease(fields.Get(Lease), missed * advertInterval),
            Gate = fields.Get(Gate) is { Word: null, Duration: var gate } ? gate : null,
            Listen = fields.Get(Listen),
            ConflictProbe = fields.Get(ConflictProbe),
            Track = [.. (fields.FindValue(Track) ?? []).Select(HaTrackSection.Meant)],
        };
    }

    /// <param name="silence">After so much of it another director takes over, at the earliest.</param>
    private static TimeSpan? MeantLease(WordOrDuration lease, TimeSpan silence) => lease.Word switch
    {
        null => lease.Duration,
        "off" => null,
        _ => TimeSpan.FromSeconds(double.Max(double.Ceiling(silence.TotalSeconds) - 1, 1)),
    };
}
