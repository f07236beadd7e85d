using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Netlink;

/// <summary>
/// Elements of a set of nftables in the netdev family that the kernel forgets after a while, unless they are put there again. The
/// requests are written once; making them allocates nothing. One thread. nft(8), linux/netfilter/nf_tables.h.
/// </summary>
public sealed class NftSet : IDisposable
{
    private const int Room = 512;
    private const ushort BatchBegin = 0x10, BatchEnd = 0x11; // NFNL_MSG_BATCH_…
    private const ushort Subsystem = 10 << 8;                // NFNL_SUBSYS_NFTABLES
    private const ushort NewElement = Subsystem | 12, RemoveElement = Subsystem | 14;
    private const byte FamilyNetdev = 5;

    private readonly NetlinkSocket _socket = new(groups: 0, NetlinkSocket.ProtocolNetfilter);
    private readonly string _table;
    private readonly string _set;
    private readonly byte[] _put;
    private readonly byte[] _remove;

    /// <summary>Changes nothing yet: neither the table nor the set need be there.</summary>
    /// <param name="table">The name of the table.</param>
    /// <param name="set">The name of the set; it has the flag <c>timeout</c>.</param>
    /// <param name="keys">The elements, in network order.</param>
    /// <param name="timeout">After which the kernel forgets them.</param>
    /// <exception cref="KernelException">There is no nfnetlink here.</exception>
    public NftSet(string table, string set, IReadOnlyList<byte[]> keys, TimeSpan timeout)
    {
        (_table, _set) = (table, set);
        // Put, removed and put again: before Linux 6.12, an element that is there keeps its old time. The first makes it be there to be removed.
        _put = Batch(Elements(NewElement, keys, timeout), Elements(RemoveElement, keys, null), Elements(NewElement, keys, timeout));
        _remove = Batch(Elements(NewElement, keys, timeout), Elements(RemoveElement, keys, null));
    }

    /// <summary>Puts the elements there, or begins their time anew.</summary>
    /// <returns><see cref="Errno.None"/>, or why not: ENOENT when there is no such set. Nothing is changed then.</returns>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public Errno Put() => Make(_put);

    /// <summary>Removes the elements.</summary>
    /// <returns><see cref="Errno.None"/>, or why not.</returns>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public Errno Remove() => Make(_remove);

    /// <summary>Closes the socket; the elements are left to their time.</summary>
    public void Dispose() => _socket.Dispose();

    private static byte[] Message(ushort type, byte family, ushort resource)
    {
        Span<byte> header = [family, 0, (byte)(resource >> 8), (byte)resource]; // struct nfgenmsg
        return new NetlinkRequest(stackalloc byte[Room], (NetlinkType)type, NetlinkFlags.Request, header).Finish(0).ToArray();
    }

    private static byte[] Batch(params ReadOnlySpan<byte[]> messages) =>
        [.. Message(BatchBegin, 0, Subsystem >> 8), .. messages.ToArray().SelectMany(message => message), .. Message(BatchEnd, 0, Subsystem >> 8)];

    private byte[] Elements(ushort type, IReadOnlyList<byte[]> keys, TimeSpan? timeout)
    {
        const ushort Table = 1, Set = 2, List = 3, Element = 1, Key = 1, Value = 1, Timeout = 4; // NFTA_…
        Span<byte> header = [FamilyNetdev, 0, 0, 0], milliseconds = stackalloc byte[sizeof(ulong)];
        NetlinkRequest request = new NetlinkRequest(stackalloc byte[Room], (NetlinkType)type, NetlinkFlags.Request | NetlinkFlags.Create, header)
            .With(Table, _table).With(Set, _set).Begin(List, out int list);
        foreach (byte[] key in keys)
        {
            request = request.Begin(Element, out int element).Begin(Key, out int nest).With(Value, key).End(nest);
            if (timeout is { } time)
            {
                BinaryPrimitives.WriteUInt64BigEndian(milliseconds, (ulong)time.TotalMilliseconds);
                request = request.With(Timeout, milliseconds);
            }

            request = request.End(element);
        }

        return request.End(list).Finish(0).ToArray();
    }

    // Only errors are answered, and before the request returns.
    private Errno Make(byte[] batch)
    {
        _socket.Send(batch);
        Errno result = Errno.None;
        while (true)
        {
            ReadOnlySpan<byte> datagram = _socket.TryReceive(out _);
            if (datagram.IsEmpty)
                return result;
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                if ((NetlinkType)message.Type == NetlinkType.Error && message.Body.Length >= sizeof(int) && result == Errno.None)
                    result = (Errno)(-MemoryMarshal.Read<int>(message.Body));
            }
        }
    }
}
