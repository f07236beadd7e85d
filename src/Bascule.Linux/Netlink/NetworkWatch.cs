namespace Bascule.Linux.Netlink;

/// <summary>Hears what changes in this thread's network namespace from now on. One thread; the descriptor can be waited on in an epoll set.</summary>
/// <param name="unheard">Addresses that come, or whose lease begins anew, are not told of when this protocol (IFA_PROTO) put them there; 0: all are.</param>
public sealed class NetworkWatch(byte unheard = 0) : IDisposable
{
    // RTMGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE
    private const uint Groups = 0x1 | 0x4 | 0x10 | 0x40 | 0x100 | 0x400;
    private const int DatagramsAtOnce = 256;

    private readonly NetlinkSocket _socket = new(Groups);

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
