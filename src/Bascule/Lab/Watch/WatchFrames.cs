using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bascule.Lab.Watch;

/// <summary>
/// The questions a watch asks about an address, and what answers to them look like. The owner is asked for in the name of a machine that does
/// not exist, so that no kernel's neighbour table learns from the answers.
/// </summary>
/// <param name="address">Which is watched.</param>
/// <param name="port">Of the service at it; 0: none is watched.</param>
/// <param name="self">The client's address.</param>
internal sealed class WatchFrames(IPAddress address, ushort port, IPAddress self)
{
    private const int EthernetLength = 14, Ip6Length = 40;
    private const byte Icmp = 1, Tcp = 6, Icmp6 = 58, Vrrp = 112;
    private const byte Syn = 0x02, SynAck = 0x12;

    // Below those that the kernel gives to programs: nobody expects an answer there, and the kernel resets what is taken up.
    private const ushort FirstPort = 20_000, Ports = 10_000;

    private static readonly byte[] Nobody = [0x02, 0xba, 0x5c, 0xff, 0xff, 0x01];

    private readonly byte[] _address = address.GetAddressBytes();
    private ushort _echoes;
    private ushort _connections;

    private bool Is6 => address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Who has the address? A whole frame.</summary>
    public byte[] WhoHas() => Is6 ? Solicitation() : ArpRequest();

    /// <summary>An echo request, from the ICMP header on; the kernel adds the rest, and the checksum of ICMPv6.</summary>
    public byte[] EchoRequest()
    {
        byte[] echo = new byte[8];
        echo[0] = (byte)(Is6 ? 128 : 8);
        BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(4), (ushort)Environment.ProcessId);
        BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(6), _echoes++);
        BinaryPrimitives.WriteUInt16BigEndian(echo.AsSpan(2), Checksum(echo, 0));
        return echo;
    }

    /// <summary>The beginning of a connection to the service; IPv4. From the TCP header on.</summary>
    public byte[] ConnectionRequest()
    {
        byte[] tcp = new byte[20];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)(FirstPort + (_connections++ % Ports)));
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), port);
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(4), _connections); // a sequence number that the last one of this port did not have
        tcp[12] = 5 << 4;
        tcp[13] = Syn;
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(14), 65_535);
        uint pseudo = Sum(self.GetAddressBytes()) + Sum(_address) + Tcp + (uint)tcp.Length;
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(16), Checksum(tcp, pseudo));
        return tcp;
    }

    /// <summary>What a frame says about the address; null when that is nothing.</summary>
    public Sighting? Read(ReadOnlySpan<byte> frame, long at)
    {
        if (frame.Length < EthernetLength + 20)
            return null;
        ReadOnlySpan<byte> rest = frame[EthernetLength..];
        return BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
        {
            0x0806 when rest.Length >= 28 => ReadArp(rest) is { } what ? Seen(frame, what, at) : null,
            0x0800 when rest[9] == Vrrp => Advertised(frame, rest[((rest[0] & 0xf) * 4)..], at),
            0x0800 when rest[9] == Icmp && rest.Length >= 28 && rest[20] == 0 && rest.Slice(12, 4).SequenceEqual(_address) => Seen(frame, Sight.Answer, at),
            0x0800 when rest[9] == Tcp && rest.Length >= 40 && IsTakenUp(rest) => Seen(frame, Sight.Service, at),
            0x86dd when rest.Length >= Ip6Length + 8 && rest[6] == Vrrp => Advertised(frame, rest[Ip6Length..], at),
            0x86dd when rest.Length >= Ip6Length + 8 && rest[6] == Icmp6 => ReadIcmp6(rest) is { } what ? Seen(frame, what, at) : null,
            _ => null,
        };
    }

    private bool IsTakenUp(ReadOnlySpan<byte> packet) =>
        packet[33] == SynAck && packet.Slice(12, 4).SequenceEqual(_address) && BinaryPrimitives.ReadUInt16BigEndian(packet[20..]) == port;

    private Sight? ReadArp(ReadOnlySpan<byte> arp)
    {
        if (!arp.Slice(14, 4).SequenceEqual(_address))
            return null;
        if (arp.Slice(24, 4).SequenceEqual(_address))
            return Sight.Announcement;
        return arp[7] == 2 ? Sight.Owner : null;
    }

    private Sight? ReadIcmp6(ReadOnlySpan<byte> packet)
    {
        ReadOnlySpan<byte> icmp = packet[Ip6Length..];
        if (icmp[0] == 129 && packet.Slice(8, 16).SequenceEqual(_address))
            return Sight.Answer;
        if (icmp[0] != 136 || icmp.Length < 24 || !icmp.Slice(8, 16).SequenceEqual(_address))
            return null;
        return (icmp[4] & 0x40) != 0 ? Sight.Owner : Sight.Announcement;
    }

    private static Sighting? Advertised(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> message, long at) =>
        message.Length < 8 ? null : Seen(frame, Sight.Advertisement, at) with { Router = message[1], Priority = message[2] };

    private static Sighting Seen(ReadOnlySpan<byte> frame, Sight what, long at) => new(at, what, new PhysicalAddress(frame.Slice(6, 6).ToArray()), 0, 0);

    // It asks as host 250 of the address's network, which nobody is.
    private byte[] ArpRequest() =>
    [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, .. Nobody, 0x08, 0x06,
        0, 1, 0x08, 0, 6, 4, 0, 1,
        .. Nobody, .. _address[..3], 250,
        0, 0, 0, 0, 0, 0, .. _address,
    ];

    private byte[] Solicitation()
    {
        byte[] group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, .. _address[13..]];
        byte[] source = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0xba, 0x5c, 0xff, 0xfe, 0xff, 0xff, 0x01];
        byte[] icmp = [135, 0, 0, 0, 0, 0, 0, 0, .. _address, 1, 1, .. Nobody];
        uint pseudo = Sum(source) + Sum(group) + (uint)icmp.Length + Icmp6;
        BinaryPrimitives.WriteUInt16BigEndian(icmp.AsSpan(2), Checksum(icmp, pseudo));
        return
        [
            0x33, 0x33, .. group[12..], .. Nobody, 0x86, 0xdd,
            0x60, 0, 0, 0, 0, (byte)icmp.Length, Icmp6, 255, .. source, .. group, .. icmp,
        ];
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes, uint more)
    {
        uint sum = Sum(bytes) + more;
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        return sum;
    }
}
