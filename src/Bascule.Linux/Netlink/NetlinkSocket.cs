using System.Runtime.InteropServices;

namespace Bascule.Linux.Netlink;

/// <summary>A socket to the kernel's routing part, netlink(7). One thread.</summary>
internal sealed unsafe partial class NetlinkSocket : IDisposable
{
    public const int ProtocolRoute = 0, ProtocolNetfilter = 12;

    private const int FamilyNetlink = 16, SocketRaw = 3;
    private const int ReceiveBuffer = 8, ReceiveBufferForced = 33; // SO_RCVBUF…
    private const int DoNotWait = 0x40; // MSG_DONTWAIT
    private const int LevelNetlink = 270, CapAcknowledgement = 10; // NETLINK_CAP_ACK: errors come without the request they are about
    private const short PollIn = 1;

    private readonly byte[] _buffer = new byte[64 * 1024]; // the kernel's datagrams have at most 32 kB

    /// <param name="groups">Bits of the multicast groups to hear, RTMGRP_….</param>
    /// <exception cref="KernelException">There is no netlink here, or no descriptor left.</exception>
    /// <param name="protocol">The part of the kernel to talk to.</param>
    public NetlinkSocket(uint groups, int protocol = ProtocolRoute)
    {
        Descriptor = Libc.Socket(FamilyNetlink, SocketRaw | Libc.SocketCloseOnExec, protocol);
        if (Descriptor < 0)
            throw new KernelException("socket(AF_NETLINK)", Libc.LastError);
        Address address = new() { Family = FamilyNetlink, Groups = groups };
        int room = 1 << 20, yes = 1;
        if (Libc.SetSocketOption(Descriptor, Libc.LevelSocket, ReceiveBufferForced, &room, sizeof(int)) != 0)
            Libc.SetSocketOption(Descriptor, Libc.LevelSocket, ReceiveBuffer, &room, sizeof(int));
        Libc.SetSocketOption(Descriptor, LevelNetlink, CapAcknowledgement, &yes, sizeof(int));
        if (Libc.Bind(Descriptor, (byte*)&address, sizeof(Address)) == 0)
            return;
        Errno error = Libc.LastError;
        Dispose();
        throw new KernelException("bind(AF_NETLINK)", error);
    }

    public int Descriptor { get; private set; }

    public void Send(ReadOnlySpan<byte> request)
    {
        fixed (byte* bytes = request)
        {
            if (Libc.Send(Descriptor, bytes, (nuint)request.Length, 0) != request.Length)
                throw new KernelException("send(AF_NETLINK)", Libc.LastError);
        }
    }

    /// <summary>Waits for a datagram of the kernel.</summary>
    /// <returns>Empty when none came in time, or one that was not the kernel's. <see cref="Errno.NoBuffers"/>: some were lost.</returns>
    public ReadOnlySpan<byte> Receive(TimeSpan patience, out Errno error)
    {
        PollEntry entry = new() { Descriptor = Descriptor, Wanted = PollIn };
        error = Errno.None;
        return Poll(&entry, 1, (int)patience.TotalMilliseconds) <= 0 ? [] : TryReceive(out error);
    }

    /// <summary>The next datagram of the kernel, if it is there. It answers a request before <see cref="Send"/> returns.</summary>
    /// <returns>Empty when there is none.</returns>
    public ReadOnlySpan<byte> TryReceive(out Errno error)
    {
        error = Errno.None;
        Address from = default;
        int length = sizeof(Address);
        nint received;
        fixed (byte* into = _buffer)
            received = ReceiveFrom(Descriptor, into, (nuint)_buffer.Length, DoNotWait, (byte*)&from, &length);
        if (received < 0)
            error = Libc.LastError;
        return received <= 0 || from.Port != 0 ? [] : _buffer.AsSpan(0, (int)received);
    }

    public void Dispose()
    {
        if (Descriptor >= 0)
            Libc.Close(Descriptor);
        Descriptor = -1;
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, ulong count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    private static partial nint ReceiveFrom(int descriptor, byte* buffer, nuint length, int flags, byte* address, int* addressLength);

    // struct sockaddr_nl
    [StructLayout(LayoutKind.Sequential)]
    private struct Address
    {
        public ushort Family;
        public ushort Unused;
        public uint Port;
        public uint Groups;
    }

    // struct pollfd
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Happened;
    }
}
