using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Bascule.Core.Api;

namespace Bascule.Core.Frames;

/// <summary>
/// Writes captured frames as a pcapng file, which Wireshark and tcpdump read: draft-ietf-opsawg-pcapng. All numbers little-endian; every
/// block is padded to 32 bits and has its length at both ends.
/// </summary>
/// <remarks>An interface is described the first time a frame of it comes, so a capture can be written while it goes on.</remarks>
public sealed class PcapngWriter(IBufferWriter<byte> to, int snapshotLength)
{
    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint InterfaceDescription = 1;
    private const uint EnhancedPacket = 6;
    private const ushort Ethernet = 1; // LINKTYPE_ETHERNET
    private const ushort Comment = 1;
    private const ushort InterfaceName = 2;
    private const ushort TimeResolution = 9;
    private const ushort Application = 4;
    private const ushort PacketFlags = 2;
    private const ushort PacketId = 5;
    private const ushort Verdict = 7;
    private const byte VerdictOfXdp = 2;
    private const long TicksOfUnixEpoch = 621_355_968_000_000_000;

    private readonly List<string> _interfaces = [];
    private readonly ArrayBufferWriter<byte> _body = new(4096);

    /// <summary>The section header; first of all, once.</summary>
    /// <param name="application">Which program writes, for the reader.</param>
    public void Begin(string application)
    {
        Append32(0x1A2B3C4D);
        Append16(1);
        Append16(0);
        Append64(ulong.MaxValue); // length of the section: unknown
        Option(Application, Encoding.UTF8.GetBytes(application));
        EndOptions();
        Flush(SectionHeader);
    }

    /// <summary>One frame.</summary>
    public void Write(CapturedFrame frame)
    {
        int number = _interfaces.IndexOf(frame.Interface);
        if (number < 0)
        {
            number = _interfaces.Count;
            Describe(frame.Interface);
        }

        ulong nanoseconds = (ulong)((frame.Time.UtcTicks - TicksOfUnixEpoch) * 100);
        Append32((uint)number);
        Append32((uint)(nanoseconds >> 32));
        Append32((uint)nanoseconds);
        Append32((uint)frame.Frame.Length);
        Append32((uint)frame.Length);
        Append(frame.Frame.Span);
        Pad();
        Option32(PacketFlags, frame.IsOutgoing ? 2u : 1u);
        Option64(PacketId, frame.Number);
        if (frame.IsOutgoing)
            Option(Verdict, [VerdictOfXdp, .. BitConverter.GetBytes((long)frame.Verdict)]);
        Option(Comment, Encoding.UTF8.GetBytes(CommentOf(frame)));
        EndOptions();
        Flush(EnhancedPacket);
    }

    private static string CommentOf(CapturedFrame frame) => frame switch
    {
        { IsOutgoing: false } => "as it came",
        { Verdict: 1 } => "dropped",
        { Verdict: 2 } => "to the director's own stack",
        { RealServer: { } realServer } => $"to {realServer}",
        _ => "sent",
    };

    private void Describe(string name)
    {
        _interfaces.Add(name);
        Append16(Ethernet);
        Append16(0);
        Append32((uint)snapshotLength);
        Option(InterfaceName, Encoding.UTF8.GetBytes(name));
        Option(TimeResolution, [9]); // 10^-9 s
        EndOptions();
        Flush(InterfaceDescription);
    }

    private void Option(ushort code, ReadOnlySpan<byte> value)
    {
        Append16(code);
        Append16((ushort)value.Length);
        Append(value);
        Pad();
    }

    private void Option32(ushort code, uint value)
    {
        Append16(code);
        Append16(sizeof(uint));
        Append32(value);
    }

    private void Option64(ushort code, ulong value)
    {
        Append16(code);
        Append16(sizeof(ulong));
        Append64(value);
    }

    private void EndOptions() => Append32(0);

    /// <summary>Writes the block that has been put together.</summary>
    private void Flush(uint type)
    {
        uint length = (uint)_body.WrittenCount + 12;
        Span<byte> block = to.GetSpan((int)length);
        BinaryPrimitives.WriteUInt32LittleEndian(block, type);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], length);
        _body.WrittenSpan.CopyTo(block[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[(8 + _body.WrittenCount)..], length);
        to.Advance((int)length);
        _body.ResetWrittenCount();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_body.GetSpan(bytes.Length));
        _body.Advance(bytes.Length);
    }

    private void Append16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_body.GetSpan(2), value);
        _body.Advance(2);
    }

    private void Append32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_body.GetSpan(4), value);
        _body.Advance(4);
    }

    private void Append64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_body.GetSpan(8), value);
        _body.Advance(8);
    }

    private void Pad()
    {
        while (_body.WrittenCount % 4 != 0)
        {
            _body.GetSpan(1)[0] = 0;
            _body.Advance(1);
        }
    }
}
