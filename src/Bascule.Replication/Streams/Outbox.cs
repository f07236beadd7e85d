using System.Threading.Channels;

namespace Bascule.Replication.Streams;

/// <summary>Records on their way to the peer: so many and no more, and nobody waits to put one in. One thread puts, one task takes.</summary>
internal sealed class Outbox
{
    /// <summary>Records of at most 64 KiB: 1 MiB wait for a slow peer.</summary>
    public const int Capacity = 16;

    private readonly Channel<byte[]> _records = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });

    /// <summary>How many more it takes.</summary>
    public int Room => Capacity - _records.Reader.Count;

    /// <summary>Whence they are taken.</summary>
    public ChannelReader<byte[]> Records => _records.Reader;

    /// <summary>Puts one in.</summary>
    /// <returns>False when there is no room.</returns>
    public bool TryPut(ReadOnlySpan<byte> record) => Room > 0 && _records.Writer.TryWrite(record.ToArray());
}
