using System.Net;

namespace Bascule.Core.Model;

/// <summary>Directors that share virtual addresses: <c>ha</c>.</summary>
public sealed record HaSettings
{
    /// <summary>The other directors; empty beside keepalived or anything else that speaks VRRP alone.</summary>
    public ValueList<HaPeer> Peers { get; init; } = [];

    /// <summary>Whose key counts where directors need the same secret: the first in order of name; null: nobody's.</summary>
    public HaPeer? KeyPeer => Peers.MinBy(p => p.Name, StringComparer.Ordinal);

    /// <summary>The virtual routers; at least one.</summary>
    public required ValueList<HaInstance> Instances { get; init; }

    /// <summary>Instances that are Active or Backup together. An instance is in one at most.</summary>
    public ValueList<SyncGroup> SyncGroups { get; init; } = [];

    /// <summary>Where directors talk to each other: heartbeats over UDP, state over TCP. 1 to 65535.</summary>
    public required int Port { get; init; }

    /// <summary>Between two heartbeats on one link; null: a quarter of the shortest <see cref="HaInstance.AdvertInterval"/>, 20 ms to 1 s.</summary>
    public TimeSpan? HeartbeatInterval { get; init; }

    /// <summary>The shortest interval of checks for virtual servers whose address another director has.</summary>
    public required TimeSpan BackupCheckInterval { get; init; }

    /// <summary>How long a director that hands over waits for the other one to be ready, and then goes on carrying what is open.</summary>
    public required TimeSpan HandoverTimeout { get; init; }

    /// <summary>Folder in which the history of the configuration is kept.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Whether the configuration is the same on all directors, and a change on one is made on all.</summary>
    public required bool SharesConfiguration { get; init; }

    /// <summary>Priority of the failover thread under SCHED_RR, 1 to 99; 0: like any other thread. Where not allowed: said in the log, and 0.</summary>
    public required int RealtimePriority { get; init; }
}

/// <summary>Another director.</summary>
/// <param name="Name">Its <c>node</c>.</param>
/// <param name="Addresses">One per link between the two, at least one. Heartbeats go to each; state over the first that answers.</param>
/// <param name="Key">Known to the two alone.</param>
public sealed record HaPeer(string Name, ValueList<IPAddress> Addresses, SecretSource Key);

/// <summary>Instances that move together.</summary>
public sealed record SyncGroup(string Name, ValueList<string> Instances);

/// <summary>Where a secret comes from.</summary>
public abstract record SecretSource;

/// <summary>It stands in the configuration.</summary>
/// <param name="Hex">32 to 128 hexadecimal digits.</param>
public sealed record GivenSecret(string Hex) : SecretSource
{
    /// <summary>Never shows it.</summary>
    public override string ToString() => "(a secret)";
}

/// <summary>It stands in a file, in hexadecimal digits; read when the daemon starts.</summary>
public sealed record SecretFile(string Path) : SecretSource;

/// <summary>The versions of VRRP.</summary>
public enum VrrpVersion : byte
{
    /// <summary>RFC 3768: IPv4, whole seconds.</summary>
    V2 = 2,

    /// <summary>RFC 9568 and RFC 5798: IPv4 and IPv6, centiseconds.</summary>
    V3 = 3,
}

/// <summary>Which bytes an IPv4 checksum of version 3 covers: the field has two schools. Both are accepted from others.</summary>
public enum ChecksumForm
{
    /// <summary>A pseudo-header and the message: RFC 5798, keepalived's default, FRR's default.</summary>
    PseudoHeader,

    /// <summary>The message alone, as in version 2: RFC 9568 §5.2.8.</summary>
    MessageOnly,
}

/// <summary>When the proxy listens on the addresses of an instance, and the datapath takes packets to them.</summary>
public enum ListenWhen
{
    /// <summary>On every director all the time, with IP_FREEBIND and a key in the datapath's map: the first connection after a takeover finds one.</summary>
    Always,

    /// <summary>Only where the instance is Active.</summary>
    Active,
}

/// <summary>One virtual router as this director is told of it: addresses, and how it is decided who has them. RFC 9568 §6.1.</summary>
public sealed record HaInstance
{
    /// <summary>The key under <c>ha.instances</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The interface it speaks on, and that the addresses are put on.</summary>
    public required string Interface { get; init; }

    /// <summary>1 to 255, the same on all its directors.</summary>
    public required byte VirtualRouterId { get; init; }

    /// <summary>1 to 255; the highest is Active. 255: the addresses are this machine's own.</summary>
    public required byte Priority { get; init; }

    /// <inheritdoc cref="VrrpVersion"/>
    public required VrrpVersion Version { get; init; }

    /// <summary>How often the Active one speaks. 10 ms to 40.95 s; version 2: whole seconds up to 255.</summary>
    public required TimeSpan AdvertInterval { get; init; }

    /// <summary>Advertisements that may be missing before the Backup takes over; the same on all directors. 2 to 100.</summary>
    public required int MissedAdvertisements { get; init; }

    /// <summary>At least one is not excluded; those that are not are of one family.</summary>
    public required ValueList<VirtualAddress> Addresses { get; init; }

    /// <summary>Routes that are there only where it is Active.</summary>
    public ValueList<VirtualRoute> Routes { get; init; } = [];

    /// <summary>Rules that are there only where it is Active.</summary>
    public ValueList<VirtualRule> Rules { get; init; } = [];

    /// <summary>Addresses of the others; empty: multicast.</summary>
    public ValueList<IPAddress> Unicast { get; init; } = [];

    /// <summary>Our own primary address; null: the interface's first of the family (IPv6: its link-local one).</summary>
    public IPAddress? Source { get; init; }

    /// <summary>Whether it takes over from a weaker one that serves.</summary>
    public required bool Preempts { get; init; }

    /// <summary>How long it watches a weaker one serve before it takes over.</summary>
    public required TimeSpan PreemptDelay { get; init; }

    /// <summary>Whether packets to its addresses are for this machine. RFC 9568 §6.1 Accept_Mode.</summary>
    public required bool Accepts { get; init; }

    /// <summary>The form that is sent.</summary>
    public required ChecksumForm Checksum { get; init; }

    /// <summary>How messages prove who sent them; null: they don't.</summary>
    public VrrpAuthentication? Authentication { get; init; }

    /// <summary>Whether the addresses have the virtual MAC of RFC 9568 §7.3, on a macvlan of its own.</summary>
    public required bool VirtualMac { get; init; }

    /// <inheritdoc cref="AnnounceSettings"/>
    public required AnnounceSettings Announce { get; init; }

    /// <summary>
    /// How long the kernel keeps the addresses after this process last said that it is well. Whole seconds (the kernel counts them so), at least 1.
    /// Null: forever.
    /// </summary>
    public required TimeSpan? Lease { get; init; }

    /// <summary>A second lease, finer than a second, by nftables: packets to the addresses are dropped once it has run out. Null: none.</summary>
    public TimeSpan? Gate { get; init; }

    /// <inheritdoc cref="ListenWhen"/>
    public required ListenWhen Listen { get; init; }

    /// <summary>How often another holder of the addresses is looked for; zero: never. RFC 5227.</summary>
    public required TimeSpan ConflictProbe { get; init; }

    /// <summary>What else decides.</summary>
    public ValueList<Tracked> Track { get; init; } = [];

    /// <summary>How long the other director may take to notice that this one has died: missed advertisements and the skew of a director of priority 1.</summary>
    public TimeSpan LongestTakeover => (MissedAdvertisements + 1) * AdvertInterval;
}

/// <summary>An address that moves.</summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="PrefixLength">Of its network; 32 or 128 where only the address itself is meant.</param>
public sealed record VirtualAddress(IPAddress Address, int PrefixLength)
{
    /// <summary>Another interface than that of the instance; null: that one.</summary>
    public string? Interface { get; init; }

    /// <summary>As <c>ip address</c> shows it (IFA_LABEL), IPv4 only; null: the interface's name.</summary>
    public string? Label { get; init; }

    /// <summary>Not named in advertisements: may be of the other family, and more than 255 may be.</summary>
    public bool IsExcluded { get; init; }

    /// <summary>Whether its removal by somebody else makes the director leave Active; otherwise it is put back.</summary>
    public bool IsTracked { get; init; } = true;
}

/// <summary>A route that moves.</summary>
/// <param name="Destination">Null: the default route.</param>
/// <param name="Via">The next hop; null: on the link itself.</param>
/// <param name="Interface">Null: that of the instance.</param>
/// <param name="Source">Preferred source address; null: the kernel's choice.</param>
/// <param name="Table">254 is the main one.</param>
/// <param name="Metric">0 is the best (IPv6: 1024 where 0 is said).</param>
public sealed record VirtualRoute(IPNetwork? Destination, IPAddress? Via, string? Interface, IPAddress? Source, int Table, int Metric);

/// <summary>A routing rule that moves.</summary>
/// <param name="From">Null: any.</param>
/// <param name="To">Null: any.</param>
/// <param name="Table">Where packets that fit are looked up.</param>
/// <param name="Priority">Rules are asked in its order. 1 to 32765.</param>
public sealed record VirtualRule(IPNetwork? From, IPNetwork? To, int Table, int Priority);

/// <summary>Gratuitous ARP and unsolicited Neighbor Advertisements.</summary>
/// <param name="Repeat">So many at a time, of each address. 1 to 20.</param>
/// <param name="Delay">The same again after so long; zero: not.</param>
/// <param name="Refresh">One of each address every so often while Active; zero: never.</param>
public sealed record AnnounceSettings(int Repeat, TimeSpan Delay, TimeSpan Refresh);

/// <summary>How messages prove who sent them.</summary>
public abstract record VrrpAuthentication;

/// <summary>Version 2: a password that everybody on the link can read. RFC 2338 §5.3.6.</summary>
/// <param name="Password">1 to 8 bytes of UTF-8.</param>
public sealed record PasswordAuthentication(string Password) : VrrpAuthentication
{
    /// <summary>Never shows it.</summary>
    public override string ToString() => "(a password)";
}

/// <summary>What is done with messages without, or with a wrong, HMAC.</summary>
public enum HmacMode
{
    /// <summary>We send none; a wrong one is counted, all messages are taken.</summary>
    ReceiveOnly,

    /// <summary>We send it; messages without one are taken, those with a wrong one are not.</summary>
    Permissive,

    /// <summary>We send it; only messages with a right one are taken.</summary>
    Enforce,
}

/// <summary>A trailer with HMAC-SHA-256 behind each message, as keepalived 2.4 has it.</summary>
/// <param name="Keys">By id, 1 to 255.</param>
/// <param name="ActiveKey">The one that is sent.</param>
/// <param name="Window">How far clocks may be apart; older messages count as replayed.</param>
public sealed record HmacAuthentication(ValueList<HmacKey> Keys, byte ActiveKey, HmacMode Mode, TimeSpan Window) : VrrpAuthentication;

/// <summary>A key of <see cref="HmacAuthentication"/>, 32 to 64 bytes.</summary>
public sealed record HmacKey(byte Id, SecretSource Secret);

/// <summary>
/// Something whose state changes the priority of an instance, as keepalived has it.
/// </summary>
/// <param name="Weight">
/// -253 to 253. Above 0: added while it is well. Below 0: subtracted while it is not. 0: while it is not, the instance takes no part (Initialize).
/// </param>
public abstract record Tracked(int Weight);

/// <summary>An interface is up and has a carrier.</summary>
public sealed record TrackedInterface(string Name, int Weight) : Tracked(Weight);

/// <summary>There is a route to a destination that is neither unreachable nor a black hole.</summary>
public sealed record TrackedRoute(IPNetwork Destination, int Weight) : Tracked(Weight);

/// <summary>At least so many processes of this name run.</summary>
public sealed record TrackedProcess(string Name, int AtLeast, int Weight) : Tracked(Weight);

/// <summary>A program ends with 0.</summary>
/// <param name="Name">What logs and status call it.</param>
/// <param name="Command">The program and its arguments.</param>
/// <param name="Interval">Between two runs.</param>
/// <param name="Timeout">After which its process group is killed, and it counts as failed.</param>
/// <param name="Rise">Successes in a row that make it well.</param>
/// <param name="Fall">Failures in a row that make it unwell.</param>
/// <param name="Weight">As for all.</param>
public sealed record TrackedScript(string Name, ValueList<string> Command, TimeSpan Interval, TimeSpan Timeout, int Rise, int Fall, int Weight) : Tracked(Weight);

/// <summary>A file holds a number: 0 is well; with a weight, the number times the weight is added. A file that is not there holds 0.</summary>
public sealed record TrackedFile(string Path, int Weight) : Tracked(Weight);

/// <summary>Each of these virtual servers has so many real servers that are up and take connections.</summary>
public sealed record TrackedVirtualServers(ValueList<string> Names, int AtLeast, int Weight) : Tracked(Weight);
