using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;

namespace Bascule.Testing.Packets;

/// <summary>The flags of a TCP header, RFC 9293 §3.1.</summary>
[Flags]
public enum TcpFlag
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>FIN.</summary>
    Fin = 1,

    /// <summary>SYN.</summary>
    Syn = 2,

    /// <summary>RST.</summary>
    Rst = 4,

    /// <summary>PSH.</summary>
    Push = 8,

    /// <summary>ACK.</summary>
    Ack = 16,
}

/// <summary>
/// A packet, written down from the outside in: <c>PacketBuilder.Ethernet().Ipv4("198.51.100.7", "192.0.2.10").Tcp(4242, 80, TcpFlag.Syn).Frame()</c>.
/// Lengths, next headers and checksums are filled in at the end. Immutable: a beginning can be shared by several packets.
/// </summary>
public sealed class PacketBuilder
{
    /// <summary>Where frames come from when nothing else is said.</summary>
    public const string ClientMac = "02:00:00:00:00:01";

    /// <summary>Where frames go to when nothing else is said.</summary>
    public const string DirectorMac = "02:00:00:00:00:02";

    private const int ProtocolNone = 59; // RFC 8200 §4.7: no next header

    private readonly ImmutableList<Layer> _layers;

    private PacketBuilder(ImmutableList<Layer> layers) => _layers = layers;

    /// <summary>No Ethernet header: what stands inside a tunnel or an ICMP error.</summary>
    public static PacketBuilder Ip { get; } = new([]);

    /// <summary>An Ethernet header; the type follows from the next layer.</summary>
    public static PacketBuilder Ethernet(string source = ClientMac, string destination = DirectorMac, ushort type = 0x88B5) =>
        Ip.With(LayerKind.Ethernet, 0, [.. PhysicalAddress.Parse(destination).GetAddressBytes(), .. PhysicalAddress.Parse(source).GetAddressBytes(), .. Two(type)]);

    /// <summary>A VLAN tag (802.1Q, or 802.1ad with <paramref name="type"/> 0x88A8).</summary>
    public PacketBuilder Vlan(ushort id, ushort type = 0x8100) => With(LayerKind.Vlan, type, [.. Two(id), .. Two(0)]);

    /// <summary>An IPv4 header, RFC 791.</summary>
    /// <param name="options">Padded to a multiple of four with zeros.</param>
    /// <param name="offset">Of a fragment, in bytes, a multiple of eight.</param>
    /// <param name="protocol">Where no layer follows that says it.</param>
    public PacketBuilder Ipv4(string source, string destination, byte ttl = 64, byte tos = 0, ushort id = 0, bool dontFragment = true,
        byte[]? options = null, int offset = 0, bool more = false, byte protocol = 253)
    {
        byte[] padded = options is null ? [] : [.. options, .. new byte[-options.Length & 3]];
        int flags = (dontFragment ? 0x4000 : 0) | (more ? 0x2000 : 0) | (offset / 8);
        return With(LayerKind.Ipv4, 4,
        [
            (byte)(0x45 + (padded.Length / 4)), tos, 0, 0, .. Two(id), .. Two((ushort)flags), ttl, protocol, 0, 0,
            .. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(), .. padded,
        ]);
    }

    /// <summary>An IPv6 header, RFC 8200.</summary>
    public PacketBuilder Ipv6(string source, string destination, byte hopLimit = 64, byte trafficClass = 0, uint flowLabel = 0, byte nextHeader = ProtocolNone) =>
        With(LayerKind.Ipv6, 41,
        [
            .. Four(0x60000000u | ((uint)trafficClass << 20) | flowLabel), 0, 0, nextHeader, hopLimit,
            .. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(),
        ]);

    /// <summary>An IPv6 extension header: 0 hop by hop, 43 routing, 60 destination options; filled with padding.</summary>
    /// <param name="length">In bytes, a multiple of eight.</param>
    public PacketBuilder Extension(byte kind, int length = 8)
    {
        byte[] header = new byte[length];
        header[1] = (byte)((length / 8) - 1);
        if (kind != 43)
            (header[2], header[3]) = (1, (byte)(length - 4)); // PadN
        return With(LayerKind.Extension, kind, header);
    }

    /// <summary>An IPv6 fragment header.</summary>
    public PacketBuilder FragmentHeader(uint id, int offset, bool more, byte nextHeader = ProtocolNone) =>
        With(LayerKind.Extension, 44, [nextHeader, 0, .. Two((ushort)(offset | (more ? 1 : 0))), .. Four(id)]);

    /// <summary>A TCP header, RFC 9293.</summary>
    /// <param name="options">Padded to a multiple of four with zeros.</param>
    public PacketBuilder Tcp(ushort source, ushort destination, TcpFlag flags = TcpFlag.Ack, uint sequence = 1, uint acknowledgement = 0, ushort window = 0xFFFF, byte[]? options = null)
    {
        byte[] padded = options is null ? [] : [.. options, .. new byte[-options.Length & 3]];
        return With(LayerKind.Tcp, 6,
        [
            .. Two(source), .. Two(destination), .. Four(sequence), .. Four(acknowledgement),
            (byte)((5 + (padded.Length / 4)) << 4), (byte)flags, .. Two(window), 0, 0, 0, 0, .. padded,
        ]);
    }

    /// <summary>A UDP header, RFC 768. What follows may be a tunnel's inner packet.</summary>
    /// <param name="checksum">False: 0, "not computed".</param>
    public PacketBuilder Udp(ushort source, ushort destination, bool checksum = true) =>
        With(checksum ? LayerKind.Udp : LayerKind.UdpWithoutChecksum, 17, [.. Two(source), .. Two(destination), 0, 0, 0, 0]);

    /// <summary>An ICMP header for IPv4, RFC 792.</summary>
    public PacketBuilder Icmp(byte type, byte code = 0, uint rest = 0) => With(LayerKind.Icmp, 1, [type, code, 0, 0, .. Four(rest)]);

    /// <summary>An ICMP header for IPv6, RFC 4443.</summary>
    public PacketBuilder Icmpv6(byte type, byte code = 0, uint rest = 0) => With(LayerKind.Icmpv6, 58, [type, code, 0, 0, .. Four(rest)]);

    /// <summary>A GRE header without key and checksum, RFC 2784.</summary>
    public PacketBuilder Gre() => With(LayerKind.Gre, 47, [0, 0, 0, 0]);

    /// <summary>Bytes.</summary>
    public PacketBuilder Payload(params ReadOnlySpan<byte> bytes) => With(LayerKind.Payload, ProtocolNone, bytes.ToArray());

    /// <summary>Text.</summary>
    public PacketBuilder Payload(string text) => Payload(Encoding.UTF8.GetBytes(text));

    /// <summary>So many bytes that count upwards.</summary>
    public PacketBuilder PayloadOf(int length) => Payload([.. Enumerable.Range(0, length).Select(i => (byte)i)]);

    /// <summary>Another packet, from its IP header on: inside a tunnel.</summary>
    public PacketBuilder Then(PacketBuilder inner) => new(_layers.AddRange(inner._layers.Where(layer => layer.Kind is not (LayerKind.Ethernet or LayerKind.Vlan))));

    /// <summary>Zeros after the packet, as Ethernet adds to short frames; the frame becomes this long.</summary>
    public PacketBuilder PaddedTo(int length) => With(LayerKind.Padding, 0, new byte[Math.Max(0, length - Frame().Length)]);

    /// <summary>The bytes from the Ethernet header on.</summary>
    public byte[] Frame() => PacketAssembly.Assemble(_layers);

    /// <summary>The bytes from the first IP header on.</summary>
    public byte[] Packet() => PacketAssembly.Assemble([.. _layers.Where(layer => layer.Kind is not (LayerKind.Ethernet or LayerKind.Vlan or LayerKind.Padding))]);

    /// <summary>The frames into which a router or sender cuts this one.</summary>
    /// <param name="size">Bytes of IP payload in each but the last, a multiple of eight.</param>
    /// <param name="id">Of the packet.</param>
    public IReadOnlyList<byte[]> Fragments(int size, uint id = 0x1234) => PacketAssembly.Fragments(_layers, size, id);

    private static byte[] Two(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Four(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private PacketBuilder With(LayerKind kind, int number, byte[] header) => new(_layers.Add(new(kind, number, header)));
}
