using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;
using Bascule.Testing.Packets;

namespace Bascule.Bench.Packets;

/// <summary>What the clients send: the smallest frames there are (64 bytes on a wire, 68 for IPv6), so that packets count and bytes do not.</summary>
internal enum TrafficKind
{
    Udp,
    TcpAck,
    TcpSyn,
    Ipv6Udp,
}

/// <summary>One kind of traffic of so many flows, ready to be sent.</summary>
internal sealed class ClientTraffic : IDisposable
{
    public const string VirtualAddress4 = "192.0.2.10", VirtualAddress6 = "2001:db8::10";
    public const ushort Port = 80;

    private const uint ClientNetwork4 = 0x64000000; // 100.0.0.0, of which 16 bits of flows are addresses and 8 bits ports
    private const int Batch = 64;

    private readonly byte[] _frame;
    private readonly BpfObject _object;
    private readonly BpfProgram _program;

    public ClientTraffic(TrafficKind kind, int flowBits, int toInterface, byte[] file, string loadMac, string directorMac, bool isMarking = false)
    {
        Kind = kind;
        FlowBits = flowBits;
        _frame = Template(kind, loadMac, directorMac);
        byte[] room = new byte[64];
        _frame.CopyTo(room, 0);

        _object = BpfObject.Open(file, "load");
        _object.LeaveOut("sink");
        _object.LeaveOut("sink_tcx");
        _object.LeaveOut("transmit");
        _object.SetConstant("frame", MemoryMarshal.Read<Frame>(room));
        _object.SetConstant("flow_bits", (uint)flowBits);
        _object.SetConstant("is_ipv6", kind == TrafficKind.Ipv6Udp);
        _object.SetConstant("is_tcp", kind is TrafficKind.TcpAck or TrafficKind.TcpSyn);
        _object.SetConstant("base_address", kind == TrafficKind.Ipv6Udp ? 0 : ClientNetwork4);
        _object.SetConstant("to_interface", (uint)toInterface);
        _object.SetConstant("is_marking", isMarking);
        _object.Load();
        _program = _object.Program("generate");
    }

    public TrafficKind Kind { get; }

    /// <summary>There are two to this power of flows.</summary>
    public int FlowBits { get; }

    /// <summary>Sends so many frames, from the calling thread's network namespace and processor.</summary>
    public void Send(int frames) => _program.Send(_frame, [], frames, Batch);

    /// <summary>Different flows among those sent so far; of a marking one.</summary>
    public long DistinctFlows()
    {
        using BpfMap<uint, ulong> marks = _object.Map<uint, ulong>("marks");
        return marks.Entries().Sum(entry => (long)ulong.PopCount(entry.Value));
    }

    public void Dispose()
    {
        _program.Dispose();
        _object.Dispose();
    }

    // Source address and port are 0 in it, and so in its checksums; the program adds those of each flow.
    private static byte[] Template(TrafficKind kind, string loadMac, string directorMac)
    {
        PacketBuilder ethernet = PacketBuilder.Ethernet(loadMac, directorMac);
        PacketBuilder ipv4 = ethernet.Ipv4("0.0.0.0", VirtualAddress4);
        byte[] frame = kind switch
        {
            TrafficKind.Udp => ipv4.Udp(0, Port).PayloadOf(18).Frame(),
            TrafficKind.TcpAck => ipv4.Tcp(0, Port, TcpFlag.Ack).PayloadOf(6).Frame(),
            TrafficKind.TcpSyn => ipv4.Tcp(0, Port, TcpFlag.Syn).PayloadOf(6).Frame(),
            TrafficKind.Ipv6Udp => ethernet.Ipv6("2001:db8:f::", VirtualAddress6).Udp(0, Port).PayloadOf(2).Frame(),
        };
        return frame;
    }

    [System.Runtime.CompilerServices.InlineArray(64)]
    private struct Frame
    {
        private byte _first;
    }
}
