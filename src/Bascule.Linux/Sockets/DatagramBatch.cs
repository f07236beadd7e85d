using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Sockets;

/// <summary>What came of sending some datagrams.</summary>
/// <param name="Sent">How many the kernel took.</param>
/// <param name="Bytes">Bytes of those.</param>
/// <param name="TooLong">How many were skipped since no datagram to there may be as long.</param>
/// <param name="Left">The last so many were not tried, or not taken.</param>
/// <param name="Error">Why some are left.</param>
public readonly record struct Sending(int Sent, long Bytes, int TooLong, int Left, Errno Error);

/// <summary>
/// Datagrams that are received and sent in one call, in memory of their own. Each place holds the longest datagram there is, so none is cut; the
/// system gives memory only for what was ever used of it. One thread. recvmmsg(2), sendmmsg(2).
/// </summary>
public sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>How many it holds.</summary>
    public const int Capacity = 32;

    private const int PlaceSize = 65_536; // the length field of UDP has 16 bits, RFC 768
    private const int PageSize = 4096;

    private readonly byte* _bytes = (byte*)NativeMemory.AlignedAlloc(Capacity * PlaceSize, PageSize);
    private readonly Place* _places = (Place*)NativeMemory.AllocZeroed(Capacity + 1, (nuint)sizeof(Place));
    private readonly Libc.SeveralMessages* _messages = (Libc.SeveralMessages*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Libc.SeveralMessages));
    private int _peerControl;

    /// <summary>An empty one.</summary>
    public DatagramBatch() => MakeReady(Capacity);

    /// <summary>How many were received.</summary>
    public int Count { get; private set; }

    /// <summary>Who sent the datagram; of a <see cref="UdpListenSocket"/>.</summary>
    public ref readonly NativeAddress Source(int index) => ref _places[index].Address;

    /// <summary>The address of this machine that it came to, without a port; of a socket that listens on every address.</summary>
    public NativeAddress Destination(int index) =>
        ControlMessage.TryReadDestination(new(_places[index].Control, (int)_messages[index].Header.ControlLength), out NativeAddress destination)
            ? destination
            : NativeAddress.AnyOf(_places[index].Address); // it was asked for, so the kernel has told it; to be sure, let it choose

    /// <summary>Bytes of all that were received.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            for (int i = 0; i < Count; i++)
                bytes += _messages[i].Length;
            return bytes;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_bytes);
        NativeMemory.Free(_places);
        NativeMemory.Free(_messages);
    }

    internal IoResult ReceiveFrom(int descriptor)
    {
        MakeReady(Count);
        IoResult result = IoResult.Of(Libc.ReceiveMessages(descriptor, _messages, Capacity, 0, null));
        Count = result.Count;
        return result;
    }

    /// <summary>From now on addressed datagrams go there.</summary>
    internal void Address(in NativeAddress to, in NativeAddress from, bool hasFrom)
    {
        Place* peer = _places + Capacity;
        peer->Address = to;
        _peerControl = hasFrom ? ControlMessage.WriteSource(peer->Control, from, interfaceIndex: 0) : 0;
    }

    /// <summary>Sends; one that is too long is skipped, any other error ends it.</summary>
    internal Sending SendTo(int descriptor, int first, int count, bool isAddressed)
    {
        int end = first + count, sent = 0, tooLong = 0;
        long bytes = 0;
        for (int i = first; i < end; i++)
            MakeReadyToSend(i, isAddressed);
        while (first < end)
        {
            IoResult result = IoResult.Of(Libc.SendMessages(descriptor, _messages + first, (uint)(end - first), Libc.MessageNoSignal));
            if (result.Error == Errno.MessageTooLong)
            {
                tooLong++;
                first++;
                continue;
            }

            if (result.Error is not (Errno.None or Errno.Interrupted))
                return new(sent, bytes, tooLong, end - first, result.Error);
            for (int next = first + result.Count; first < next; first++)
                bytes += _messages[first].Length;
            sent += result.Count;
        }

        return new(sent, bytes, tooLong, 0, Errno.None);
    }

    // What was received, or sent since, has left its lengths in the first places.
    private void MakeReady(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Place* place = _places + i;
            place->Vector = new() { Base = _bytes + (i * PlaceSize), Length = PlaceSize };
            _messages[i].Header = new()
            {
                Name = (byte*)&place->Address,
                NameLength = NativeAddress.Length,
                Vectors = &place->Vector,
                VectorCount = 1,
                Control = place->Control,
                ControlLength = ControlMessage.Room,
            };
        }
    }

    private void MakeReadyToSend(int index, bool isAddressed)
    {
        Place* peer = _places + Capacity;
        _places[index].Vector.Length = _messages[index].Length;
        _messages[index].Header = new()
        {
            Name = isAddressed ? (byte*)&peer->Address : null,
            NameLength = isAddressed ? (uint)peer->Address.Size : 0,
            Vectors = &_places[index].Vector,
            VectorCount = 1,
            Control = isAddressed && _peerControl > 0 ? peer->Control : null,
            ControlLength = isAddressed ? (nuint)_peerControl : 0,
        };
    }

    /// <summary>What belongs to one datagram beside its bytes; the last one is the peer that all are sent to.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Place
    {
        public Libc.Vector Vector;
        public ControlBytes ControlBytes;
        public NativeAddress Address;

        public byte* Control => (byte*)Unsafe.AsPointer(ref ControlBytes);
    }

    [InlineArray(ControlMessage.Room)]
    private struct ControlBytes
    {
        private byte _first;
    }
}
