using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Sockets;

/// <summary>One instruction of classic BPF. linux/filter.h, <c>struct sock_filter</c>.</summary>
/// <param name="Code">What to do.</param>
/// <param name="IfTrue">A comparison that holds skips so many instructions.</param>
/// <param name="IfFalse">One that does not, so many.</param>
/// <param name="Value">Operand.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct FilterInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Value)
{
    /// <summary>Takes the frame.</summary>
    public static FilterInstruction Accept => new(0x06, 0, 0, uint.MaxValue);

    /// <summary>Passes over the frame.</summary>
    public static FilterInstruction Reject => new(0x06, 0, 0, 0);

    /// <summary>Loads the byte there; a frame that ends before is rejected.</summary>
    public static FilterInstruction LoadByte(uint offset) => new(0x30, 0, 0, offset);

    /// <summary>Loads the 32-bit number there.</summary>
    public static FilterInstruction LoadWord(uint offset) => new(0x20, 0, 0, offset);

    /// <summary>Compares what was loaded, and skips so many instructions if it is that.</summary>
    public static FilterInstruction SkipIfEqual(uint value, byte skipped) => new(0x15, skipped, 0, value);

    /// <summary>Compares what was loaded, and skips so many instructions if it is not that.</summary>
    public static FilterInstruction SkipUnlessEqual(uint value, byte skipped) => new(0x15, 0, skipped, value);
}

/// <summary>Whole Ethernet frames, sent and received past the kernel's own stack. Never blocks. One thread. packet(7).</summary>
public sealed unsafe partial class PacketSocket : IDisposable
{
    /// <summary>EtherType of ARP.</summary>
    public const ushort Arp = 0x0806;

    /// <summary>EtherType of IPv4.</summary>
    public const ushort Ipv4 = 0x0800;

    /// <summary>EtherType of IPv6.</summary>
    public const ushort Ipv6 = 0x86DD;

    private const int FamilyPacket = 17, SocketRaw = 3;
    private const int AttachFilter = 26; // SO_ATTACH_FILTER
    private const int DoNotWait = 0x40;  // MSG_DONTWAIT

    /// <summary>Opens one that sends only.</summary>
    /// <exception cref="KernelException">EPERM without CAP_NET_RAW.</exception>
    public PacketSocket() => Open();

    /// <summary>Opens one that hears what arrives on all interfaces, but not what this machine sends.</summary>
    /// <param name="etherType">Of the frames to hear.</param>
    /// <param name="filter">Run over each by the kernel; ends in <see cref="FilterInstruction.Accept"/> or <see cref="FilterInstruction.Reject"/>.</param>
    /// <exception cref="KernelException">EPERM without CAP_NET_RAW; EINVAL: no good filter.</exception>
    public PacketSocket(ushort etherType, ReadOnlySpan<FilterInstruction> filter)
    {
        Open();
        fixed (FilterInstruction* instructions = filter)
        {
            FilterProgram program = new() { Length = (ushort)filter.Length, Instructions = instructions };
            Checked("setsockopt(SO_ATTACH_FILTER)", Libc.SetSocketOption(Descriptor, Libc.LevelSocket, AttachFilter, &program, sizeof(FilterProgram)));
        }

        // Only now, so that nothing comes past the filter.
        LinkAddress address = new() { Family = FamilyPacket, Protocol = BinaryPrimitives.ReverseEndianness(etherType) };
        Checked("bind(AF_PACKET)", Libc.Bind(Descriptor, (byte*)&address, sizeof(LinkAddress)));
    }

    /// <summary>Readable when a frame is there.</summary>
    public int Descriptor { get; private set; } = -1;

    /// <summary>Sends a frame, from its Ethernet header on.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: ENETDOWN, ENODEV, ENOBUFS …</returns>
    public Errno Send(int interfaceIndex, ReadOnlySpan<byte> frame)
    {
        LinkAddress address = new() { Family = FamilyPacket, InterfaceIndex = interfaceIndex };
        fixed (byte* bytes = frame)
            return SendTo(Descriptor, bytes, (nuint)frame.Length, DoNotWait, (byte*)&address, sizeof(LinkAddress)) < 0 ? Libc.LastError : Errno.None;
    }

    /// <summary>Takes up a frame.</summary>
    /// <returns>Its length, at most that of <paramref name="frame"/>; 0: none is there.</returns>
    public int Receive(Span<byte> frame, out int interfaceIndex)
    {
        LinkAddress address = default;
        int length = sizeof(LinkAddress);
        fixed (byte* bytes = frame)
        {
            nint received = ReceiveFrom(Descriptor, bytes, (nuint)frame.Length, DoNotWait, (byte*)&address, &length);
            interfaceIndex = address.InterfaceIndex;
            return (int)nint.Max(received, 0);
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        if (Descriptor >= 0)
            Libc.Close(Descriptor);
        Descriptor = -1;
    }

    private void Open()
    {
        Descriptor = Libc.Socket(FamilyPacket, SocketRaw | Libc.SocketCloseOnExec | Libc.SocketNonBlock, 0);
        if (Descriptor < 0)
            throw new KernelException("socket(AF_PACKET)", Libc.LastError);
    }

    private void Checked(string call, int result)
    {
        if (result >= 0)
            return;
        Errno error = Libc.LastError;
        Dispose();
        throw new KernelException(call, error);
    }

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    private static partial nint SendTo(int descriptor, byte* buffer, nuint length, int flags, byte* address, int addressLength);

    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    private static partial nint ReceiveFrom(int descriptor, byte* buffer, nuint length, int flags, byte* address, int* addressLength);

    // struct sockaddr_ll
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkAddress
    {
        public ushort Family;
        public ushort Protocol; // network order
        public int InterfaceIndex;
        public ushort HardwareType;
        public byte PacketType;
        public byte MacLength;
        public ulong Mac;
    }

    // struct sock_fprog
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public FilterInstruction* Instructions;
    }
}
