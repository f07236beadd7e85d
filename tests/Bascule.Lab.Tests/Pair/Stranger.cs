using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bascule.Linux.Process;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Sends VRRP advertisements of its own making from a machine of the lab, right ones and wrong ones.</summary>
internal sealed class Stranger : IDisposable
{
    private const int Vrrp = 112;

    private static readonly IPAddress Everybody = IPAddress.Parse("224.0.0.18");

    private readonly Socket _socket;
    private readonly IPAddress _source;

    /// <param name="machine">Where from.</param>
    /// <param name="source">Its address in the lan.</param>
    public Stranger(LabMachine machine, string source)
    {
        _source = IPAddress.Parse(source);
        _socket = NetworkNamespace.Run($"/run/netns/{machine.Namespace}", () => new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Raw));
        _socket.Bind(new IPEndPoint(_source, 0));
        _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, _source.GetAddressBytes());
    }

    /// <summary>Version 3 (RFC 9568 §5.1); the checksum covers a pseudo-header unless it is told to be wrong.</summary>
    public void Send3(byte router = 51, byte priority = 200, int centiseconds = 10, string address = PairPlan.VirtualAddress, int timeToLive = 255, bool wrong = false)
    {
        byte[] message = [0x31, router, priority, 1, (byte)(centiseconds >> 8), (byte)centiseconds, 0, 0, .. IPAddress.Parse(address).GetAddressBytes()];
        byte[] pseudo = [.. _source.GetAddressBytes(), .. Everybody.GetAddressBytes(), 0, Vrrp, 0, (byte)message.Length];
        Send(message, pseudo, timeToLive, wrong);
    }

    /// <summary>Version 2 (RFC 3768 §5.1), with a password or without.</summary>
    public void Send2(byte router = 51, byte priority = 200, byte seconds = 1, string? password = null, string address = PairPlan.VirtualAddress, int timeToLive = 255, bool wrong = false)
    {
        byte[] secret = new byte[8];
        System.Text.Encoding.ASCII.GetBytes(password ?? "", secret);
        byte[] message = [0x21, router, priority, 1, (byte)(password is null ? 0 : 1), seconds, 0, 0, .. IPAddress.Parse(address).GetAddressBytes(), .. secret];
        Send(message, [], timeToLive, wrong);
    }

    public void Dispose() => _socket.Dispose();

    private void Send(byte[] message, byte[] pseudo, int timeToLive, bool wrong)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), (ushort)(Checksum([.. pseudo, .. message]) ^ (wrong ? 1 : 0)));
        // A raw socket of no protocol takes whole IP packets; the kernel adds length, identification and checksum.
        byte[] header = [0x45, 0xc0, 0, 0, 0, 0, 0, 0, (byte)timeToLive, Vrrp, 0, 0, .. _source.GetAddressBytes(), .. Everybody.GetAddressBytes()];
        _socket.SendTo((byte[])[.. header, .. message], new IPEndPoint(Everybody, 0));
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
