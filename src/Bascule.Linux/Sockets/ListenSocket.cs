using System.Net;

namespace Bascule.Linux.Sockets;

/// <summary>A socket on which clients are heard, non-blocking. Several may share one address (SO_REUSEPORT); the kernel spreads clients over them.</summary>
public abstract unsafe class ListenSocket : IDisposable
{
    private bool _closed;

    private protected ListenSocket(int descriptor) => Descriptor = descriptor;

    /// <summary>For <see cref="Epoll.EpollSet"/>.</summary>
    public int Descriptor { get; }

    /// <summary>The address it listens on, with the port the kernel chose when 0 was asked for.</summary>
    public IPEndPoint LocalAddress
    {
        get
        {
            NativeAddress address = default;
            int length = NativeAddress.Length;
            fixed (byte* bytes = (Span<byte>)address)
                Libc.GetSocketName(Descriptor, bytes, &length);
            return address.ToEndPoint();
        }
    }

    /// <summary>Closes it; what waits in it is gone: connections are reset by the kernel. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;

        // A program that is being started holds a copy of every descriptor for a moment, and would go on listening. (Of UDP this changes nothing.)
        Libc.Shutdown(Descriptor, Libc.ShutdownRead);
        Libc.Close(Descriptor);
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes the address.</summary>
    /// <param name="shared">Whether further sockets of this user may have the same address.</param>
    /// <param name="anywhere">Whether the address may be one that this machine does not have yet (IP_FREEBIND).</param>
    private protected bool BindTo(in NativeAddress address, bool shared, bool anywhere)
    {
        fixed (byte* bytes = (ReadOnlySpan<byte>)address)
        {
            return (!shared || Switch(Libc.LevelSocket, Libc.OptionReusePort))
                && (!anywhere || BindAnywhere(address.IsIpv4))
                && (address.IsIpv4 || Switch(Libc.LevelIpv6, Libc.OptionIpv6Only))
                && Libc.Bind(Descriptor, bytes, address.Size) == 0;
        }
    }

    private protected bool Switch(int level, int option, int value = 1) =>
        Libc.SetSocketOption(Descriptor, level, option, &value, sizeof(int)) == 0;

    private bool BindAnywhere(bool isIpv4) =>
        isIpv4 ? Switch(Libc.LevelIpv4, Libc.OptionIpv4FreeBind) : Switch(Libc.LevelIpv6, Libc.OptionIpv6FreeBind);
}
