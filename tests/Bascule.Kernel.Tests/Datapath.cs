using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>What an XDP program decided. enum xdp_action.</summary>
public enum Verdict
{
    Aborted = 0,
    Drop = 1,
    Pass = 2,
    Transmit = 3,
    Redirect = 4,
}

/// <summary>A verdict and the frame as it left.</summary>
public sealed record Sent(Verdict Verdict, byte[] Frame)
{
    public override string ToString() => $"{Verdict}: {PacketText.Describe(Frame)}";
}

/// <summary>
/// The XDP datapath, loaded once for one test: maps of its own, nothing pinned, attached to nothing. Fill maps, send a packet,
/// look at what comes out.
/// </summary>
internal sealed class Datapath : IDisposable
{
    /// <summary>Room for what tunnels add.</summary>
    private const int Longest = 4096;

    private readonly List<IDisposable> _opened = [];
    private readonly Dictionary<string, object> _maps = [];
    private readonly BpfObject _object;
    private readonly BpfProgram _program;

    private readonly bool _isTcx;

    private Datapath(BpfObject opened, BpfProgram program, bool isTcx)
    {
        _object = opened;
        _program = program;
        _isTcx = isTcx;
    }

    /// <summary>The index of the interface packets are said to come from: the loopback's, the only one that is always there.</summary>
    public static int LoopbackIndex { get; } = 1;

    /// <summary>The object's types.</summary>
    public BpfTypes Types => _object.Types;

    /// <summary>Loads it.</summary>
    /// <param name="prepare">Sets sizes and constants before the load.</param>
    /// <param name="file">Which object; the program is the first in it whose name begins with <c>bascule</c>.</param>
    public static Datapath Load(Action<BpfObject>? prepare = null, string file = DatapathObject.Xdp)
    {
        BpfObject opened = DatapathObject.Open(file);
        try
        {
            prepare?.Invoke(opened);
            opened.Load();
            string entry = opened.ProgramNames.First(name => name.StartsWith("bascule", StringComparison.Ordinal));
            return new(opened, opened.Program(entry), file.Contains("tcx", StringComparison.Ordinal));
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>A map; the same object each time.</summary>
    public BpfMap<TKey, TValue> Map<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => (BpfMap<TKey, TValue>)Once(name, () => _object.Map<TKey, TValue>(name));

    /// <summary>A map of counters; the same object each time.</summary>
    public PerProcessorMap<TKey, TValue> Counters<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => (PerProcessorMap<TKey, TValue>)Once(name, () => _object.PerProcessorMap<TKey, TValue>(name));

    /// <summary>A map as it is, to be shared with another object.</summary>
    public BpfMap AnyMap(string name) => (BpfMap)Once($"any {name}", () => _object.AnyMap(name));

    /// <summary>Another program of the object.</summary>
    public BpfProgram Program(string name) => (BpfProgram)Once($"program {name}", () => _object.Program(name));

    /// <summary>A real server under an id.</summary>
    public void Set(ushort id, RealServer realServer) => Map<uint, RealServer>("real_servers").Set(id, realServer);

    /// <summary>A virtual server under an id, found at an address; port 0 is any port.</summary>
    public void Set(ushort id, VirtualServer virtualServer, string address, ushort port, ProtocolType protocol = ProtocolType.Tcp)
    {
        Map<uint, VirtualServer>("virtual_servers").Set(id, virtualServer);
        IPAddress parsed = IPAddress.Parse(address);
        bool isIpv4 = parsed.AddressFamily == AddressFamily.InterNetwork;
        ProtocolType icmp = isIpv4 ? ProtocolType.Icmp : ProtocolType.IcmpV6;
        foreach ((ProtocolType kind, ushort at) in new[] { (protocol, port), (icmp, (ushort)0) })
        {
            if (isIpv4)
                Map<Service4, uint>("services4").Set(new() { Address = Wire32.Of(parsed), Port = at, Protocol = (byte)kind }, id);
            else
                Map<Service6, uint>("services6").Set(new() { Address = Address.Of(parsed), Port = at, Protocol = (byte)kind }, id);
        }
    }

    /// <summary>The hash table of a virtual server.</summary>
    public void SetTable(ushort id, params ReadOnlySpan<Slot> slots)
    {
        using BpfMap<uint, SlotPair> table = SlotPair.Table(slots);
        Map<uint, uint>("tables").SetInner(id, table);
    }

    /// <summary>The real servers a counting scheduler chooses from.</summary>
    public void SetMembers(ushort id, params ReadOnlySpan<uint> realServers)
    {
        const int Room = 512; // MAX_MEMBERS of bpf/types.h: all are the same size
        using BpfMap<uint, uint> members = BpfMap.Create<uint, uint>("members", MapType.Array, Room);
        members.SetAll(realServers);
        Map<uint, uint>("members").SetInner(id, members);
    }

    /// <summary>Gives it one packet, said to come from the loopback interface.</summary>
    public Sent Send(PacketBuilder packet) => Send(packet.Frame());

    /// <inheritdoc cref="Send(PacketBuilder)" />
    public Sent Send(ReadOnlySpan<byte> frame) => SendMarked(frame, 0);

    /// <summary>Gives it one packet that carries a socket's mark, which only a program of tcx sees.</summary>
    public Sent SendMarked(ReadOnlySpan<byte> frame, uint mark)
    {
        byte[] output = new byte[Longest];
        (Verdict verdict, int length) = Run(frame, output, mark);
        return new(verdict, output[..length]);
    }

    /// <summary>Gives it, at tcx, what the kernel has put together from several packets and will cut up again.</summary>
    /// <param name="segment">Bytes of TCP payload in each but the last.</param>
    public Sent SendSegmented(ReadOnlySpan<byte> frame, uint segment)
    {
        byte[] output = new byte[Longest];
        (Verdict verdict, int length) = Run(frame, output, segment: segment);
        return new(verdict, output[..length]);
    }

    /// <summary>The same for very many packets: nothing is allocated. What tcx sends out of whichever interface is <see cref="Verdict.Redirect" />.</summary>
    /// <returns>The verdict and how many bytes of the output are the frame as it leaves.</returns>
    public (Verdict Verdict, int Length) Run(ReadOnlySpan<byte> frame, Span<byte> output, uint mark = 0, uint segment = 0)
    {
        const int ContextWords = 192 / 4, MarkWord = 2, SegmentWord = 176 / 4; // struct __sk_buff
        if (_isTcx)
        {
            Span<uint> buffer = stackalloc uint[ContextWords];
            buffer[MarkWord] = mark;
            buffer[SegmentWord] = segment;
            TestRun tcx = _program.Run(frame, output, MemoryMarshal.AsBytes(buffer));
            return (OfTcx((int)tcx.Verdict), tcx.Length);
        }

        // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
        Span<uint> context = [0, (uint)frame.Length, 0, (uint)LoopbackIndex, 0, 0];
        TestRun xdp = _program.Run(frame, output, MemoryMarshal.AsBytes(context));
        return ((Verdict)xdp.Verdict, xdp.Length);
    }

    /// <summary>How many packets were dropped for a reason.</summary>
    public ulong Drops(DropReason reason) => Sum(Counters<uint, ulong>("drops").Get((uint)reason));

    /// <summary>What was counted of a virtual server.</summary>
    public Traffic TrafficOfVirtualServer(ushort id) => Sum(Counters<uint, Traffic>("virtual_server_traffic").Get(id));

    /// <summary>What was counted of a real server.</summary>
    public Traffic TrafficOfRealServer(ushort id) => Sum(Counters<uint, Traffic>("real_server_traffic").Get(id));

    public void Dispose()
    {
        foreach (IDisposable opened in _opened)
            opened.Dispose();
        _program.Dispose();
        _object.Dispose();
    }

    private static Verdict OfTcx(int action) => action switch
    {
        -1 or 0 => Verdict.Pass, // TC_ACT_UNSPEC, TC_ACT_OK
        2 => Verdict.Drop, // TC_ACT_SHOT
        7 => Verdict.Redirect, // TC_ACT_REDIRECT
        _ => throw new InvalidOperationException($"an answer that tcx does not know: {action}"),
    };

    // A struct of counters is a row of 64-bit numbers.
    private static T Sum<T>(T[] values)
        where T : unmanaged
    {
        T[] sum = new T[1];
        Span<ulong> total = MemoryMarshal.Cast<T, ulong>(sum.AsSpan());
        foreach (T value in values)
        {
            ReadOnlySpan<ulong> part = MemoryMarshal.Cast<T, ulong>(new ReadOnlySpan<T>(in value));
            for (int i = 0; i < total.Length; i++)
                total[i] += part[i];
        }

        return sum[0];
    }

    private object Once(string name, Func<IDisposable> open)
    {
        if (_maps.TryGetValue(name, out object? known))
            return known;
        IDisposable opened = open();
        _opened.Add(opened);
        return _maps[name] = opened;
    }
}
