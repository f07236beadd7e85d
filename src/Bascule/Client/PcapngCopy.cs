using System.Buffers.Binary;

namespace Bascule.Client;

/// <summary>Copies a pcapng stream block by block, so that what is written is a whole file whenever it ends, and counts its packets.</summary>
internal sealed class PcapngCopy(Stream to)
{
    private const uint EnhancedPacket = 6;
    private const int LargestBlock = 1 << 20;

    /// <summary>Packets written so far, the way in and the way out counted each.</summary>
    public long Packets { get; private set; }

    /// <summary>Copies until the end of the stream or the cancellation.</summary>
    /// <exception cref="InvalidDataException">It is not pcapng.</exception>
    public async Task CopyAsync(Stream from, CancellationToken cancellation)
    {
        byte[] block = new byte[LargestBlock];
        while (await from.ReadAtLeastAsync(block.AsMemory(0, 8), 8, throwOnEndOfStream: false, cancellation) == 8)
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(block);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4));
            if (length is < 12 or > LargestBlock || length % 4 != 0)
                throw new InvalidDataException($"a block of {length} bytes");
            await from.ReadExactlyAsync(block.AsMemory(8, (int)length - 8), cancellation);
            await to.WriteAsync(block.AsMemory(0, (int)length), CancellationToken.None);
            await to.FlushAsync(CancellationToken.None);
            if (type == EnhancedPacket)
                Packets++;
        }
    }
}
