using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Bascule.Health;

/// <summary>Does its machine answer an echo request? RFC 792, RFC 4443 §4.1.</summary>
/// <remarks>
/// <code>
/// |     Type      |     Code      |           Checksum            |
/// |          Identifier           |        Sequence number        |
/// |  Data: which of our questions it is, 8 bytes                  |
/// </code>
/// Over a datagram socket of the ICMP protocol, where the kernel lets this user have one (net.ipv4.ping_group_range), otherwise over a raw one (CAP_NET_RAW). A raw socket
/// hears every echo reply of the machine, so the data says which is ours.
/// </remarks>
internal sealed class PingProbe(IPAddress target) : Probe
{
    private const int HeaderLength = 8;
    private const int Length = HeaderLength + sizeof(long);

    private static long s_questions = (long)Environment.ProcessId << 32; // another Bascule on this machine begins elsewhere

    private readonly bool _isIPv4 = target.AddressFamily == AddressFamily.InterNetwork;

    /// <inheritdoc/>
    public override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        // No mark: nothing but clients' packets are led elsewhere, and nobody balances pings.
        try
        {
            using Socket? socket = Open();
            if (socket is null)
                return Verdict.NotAsked("the kernel lets this director send no ping: it needs CAP_NET_RAW, or its group in net.ipv4.ping_group_range");
            await socket.ConnectAsync(new IPEndPoint(target, 0), cancellation);
            byte[] question = Question();
            await socket.SendAsync(question, cancellation);
            byte[] answer = new byte[1500];
            while (!IsAnswer(answer.AsSpan(0, await socket.ReceiveAsync(answer, cancellation)), question))
            {
                // Another program's, or our own question as loopback shows it.
            }

            return Verdict.Pass("echo");
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
    }

    private Socket? Open() => TryOpen(SocketType.Dgram) ?? TryOpen(SocketType.Raw);

    private Socket? TryOpen(SocketType type)
    {
        try
        {
            return new(target.AddressFamily, type, _isIPv4 ? ProtocolType.Icmp : ProtocolType.IcmpV6);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
        {
            return null;
        }
    }

    private byte[] Question()
    {
        byte[] packet = new byte[Length];
        long number = Interlocked.Increment(ref s_questions);
        packet[0] = _isIPv4 ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)Environment.ProcessId); // a datagram socket puts its own here
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)number);
        BinaryPrimitives.WriteInt64BigEndian(packet.AsSpan(HeaderLength), number);
        if (_isIPv4)
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet)); // the kernel writes that of ICMPv6
        return packet;
    }

    private bool IsAnswer(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> question)
    {
        // A raw IPv4 socket is given the IP header too: version 4 in its first half byte, which no echo reply (type 0) has.
        if (_isIPv4 && packet.Length > 20 && packet[0] >> 4 == 4)
            packet = packet[((packet[0] & 0x0F) * 4)..];
        return packet.Length == Length && packet[0] == (_isIPv4 ? 0 : 129) && packet[6..].SequenceEqual(question[6..]);
    }

    /// <summary>RFC 1071.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> packet)
    {
        uint sum = 0;
        for (int i = 0; i < packet.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
