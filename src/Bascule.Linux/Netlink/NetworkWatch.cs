namespace Bascule.Linux.Netlink;

/// <summary>What a <see cref="NetworkWatch"/> hears of. linux/rtnetlink.h, RTMGRP_….</summary>
[Flags]
public enum NetworkNews
{
    /// <summary>Interfaces.</summary>
    Links = 0x1,

    /// <summary>ARP and neighbour discovery: on a busy network, many a second.</summary>
    Neighbours = 0x4,

    /// <summary>Addresses of this machine, of both families.</summary>
    Addresses = 0x10 | 0x100,

    /// <summary>Routes of both families: with a full table of the internet, many a second.</summary>
    Routes = 0x40 | 0x400,

    /// <summary>All of these.</summary>
    All = Links | Neighbours | Addresses | Routes,
}

/// <summary>Hears what changes in this thread's network namespace from now on. One thread; the descriptor can be waited on in an epoll set.</summary>
/// <param name="news">What of.</param>
/// <param name="unheard">Addresses that come, or whose lease begins anew, are not told of when this protocol (IFA_PROTO) put them there; 0: all are.</param>
public sealed class NetworkWatch(NetworkNews news = NetworkNews.All, byte unheard = 0) : IDisposable
{
    private const int DatagramsAtOnce = 256;

    private readonly NetlinkSocket _socket = new((uint)news);

    /// <summary>Readable when something has changed.</summary>
    public int Descriptor => _socket.Descriptor;

    /// <summary>Waits for a change and returns those that are there.</summary>
    /// <param name="patience">How long to wait for the first; zero: not at all.</param>
    /// <returns>Empty when nothing changed. A change with <see cref="NetworkEvent.IsOverrun"/> means that some were lost.</returns>
    public IReadOnlyList<NetworkEvent> Read(TimeSpan patience)
    {
        List<NetworkEvent>? changes = null; // mostly there is nothing to tell, and the failover thread allocates nothing then
        for (int i = 0; i < DatagramsAtOnce; i++)
        {
            ReadOnlySpan<byte> datagram = _socket.Receive(i == 0 ? patience : TimeSpan.Zero, out Errno error);
            if (error == Errno.NoBuffers)
                (changes ??= []).Add(new() { IsOverrun = true });
            else if (datagram.IsEmpty)
                break;
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                if (!IsUnheard(message) && NetlinkReader.Change(message) is { } change)
                    (changes ??= []).Add(change);
            }
        }

        return changes ?? (IReadOnlyList<NetworkEvent>)[];
    }

    /// <summary>Ends listening.</summary>
    public void Dispose() => _socket.Dispose();

    private bool IsUnheard(NetlinkMessage message) =>
        unheard != 0 && (NetlinkType)message.Type == NetlinkType.NewAddress && NetlinkReader.ProtocolOf(message) == unheard;
}
