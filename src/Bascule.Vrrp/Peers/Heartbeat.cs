using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bascule.Core.Roles;
using Bascule.Vrrp.Handover;

namespace Bascule.Vrrp.Peers;

/// <summary>What one director says to another over each link between them, every interval. Its instances follow it.</summary>
public readonly record struct Heartbeat
{
    /// <summary>Links between two directors, at most: one bit each in <see cref="HeardLinks"/>.</summary>
    public const int MaxLinks = 8;

    /// <summary>Instances in one heartbeat, at most.</summary>
    public const int MaxInstances = 64;

    /// <summary>Who speaks: <see cref="NodeKey"/> of its name.</summary>
    public required ulong Sender { get; init; }

    /// <summary>To whom: <see cref="NodeKey"/> of its name. What is said to one director is no use against another.</summary>
    public required ulong Receiver { get; init; }

    /// <summary>Drawn by chance when the sender started. Never 0.</summary>
    public required ulong Incarnation { get; init; }

    /// <summary>Grows by one with every round; a round is one heartbeat on each link.</summary>
    public required ulong Round { get; init; }

    /// <summary>The receiver's incarnation as the sender last heard it; 0: not yet.</summary>
    public required ulong EchoIncarnation { get; init; }

    /// <summary>The receiver's latest round that the sender heard.</summary>
    public required ulong EchoRound { get; init; }

    /// <summary>The link it goes over, in the sender's numbers. 0 to 7.</summary>
    public required byte Link { get; init; }

    /// <summary>Bit n: the sender heard the receiver on its own link n a short time ago.</summary>
    public required byte HeardLinks { get; init; }

    /// <summary>How often the sender speaks. On the wire 1 ms to 49 days.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>The sender has handed over, and goes on serving what was open.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Of the configuration that the sender runs.</summary>
    public ulong ConfigurationVersion { get; init; }

    /// <summary>How many instances follow. 0 to 64.</summary>
    public int Instances { get; init; }

    /// <summary>What stands for a director's name on the wire.</summary>
    public static ulong NodeKey(string node) => Key($"node {node}");

    /// <summary>What stands for an instance on the wire: two directors talk of the same one where family, virtual router's id and name agree.</summary>
    public static ulong InstanceKey(AddressFamily family, byte virtualRouterId, string name) =>
        Key($"instance {(family == AddressFamily.InterNetworkV6 ? 6 : 4)} {virtualRouterId} {name}");

    private static ulong Key(string text) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>What a director says of one instance.</summary>
/// <param name="Key"><see cref="Heartbeat.InstanceKey"/>.</param>
/// <param name="Role">What it is for it.</param>
/// <param name="Priority">With what is tracked taken into account. 1 to 255.</param>
/// <param name="Goodbyes">How often it has stopped being Active on purpose, modulo 256: each heartbeat says goodbye again, and it is heard once.</param>
/// <param name="Interval">Between its advertisements. On the wire 1 ms to 49 days.</param>
/// <param name="Source">Its primary address as a number, which decides between equal priorities; 0: not known.</param>
public readonly record struct HeartbeatInstance(ulong Key, Role Role, byte Priority, byte Goodbyes, TimeSpan Interval, UInt128 Source)
{
    /// <summary>While it is handed over.</summary>
    public HandoverWord Handover { get; init; }

    /// <summary>An address as a number that sorts as RFC 9568 §6.4.3 compares: unsigned, in network byte order.</summary>
    public static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        bool isIPv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        address.TryWriteBytes(isIPv6 ? bytes : bytes[12..], out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}

/// <summary>What became of a heartbeat that arrived. All but the first three are counted as rejected.</summary>
public enum HeartbeatOutcome
{
    /// <summary>It is authentic and news.</summary>
    Taken,

    /// <summary>It is authentic, and has been said over another link already.</summary>
    Repeated,

    /// <summary>It has the right key, but the sender has not yet shown that it is not a recording: it has not answered this life of ours.</summary>
    Unconfirmed,

    /// <summary>Shorter or longer than it says.</summary>
    WrongLength,

    /// <summary>No heartbeat at all.</summary>
    NotAHeartbeat,

    /// <summary>Of another version of this form.</summary>
    WrongVersion,

    /// <summary>Made with another key, or altered.</summary>
    NotAuthentic,

    /// <summary>From, or to, another director.</summary>
    WrongPeer,

    /// <summary>Authentic, but says what cannot be.</summary>
    Malformed,

    /// <summary>Heard before, or older than what was heard on its link.</summary>
    Replayed,
}
