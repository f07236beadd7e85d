using System.Buffers.Text;
using System.Numerics;

namespace Bascule.Proxy.Http1;

/// <summary>Frames data that already lies in a buffer as chunks. RFC 9112 §7.1.</summary>
/// <remarks>A chunk is <see cref="HeaderLength"/> bytes of header, the data, and <see cref="End"/>; the body ends with <see cref="LastChunk"/>.</remarks>
internal static class ChunkWriter
{
    /// <summary>Eight hexadecimal digits and CRLF: room to leave before the data.</summary>
    public const int MaxHeaderLength = 10;

    /// <summary>After the data of each chunk.</summary>
    public static ReadOnlySpan<byte> End => "\r\n"u8;

    /// <summary>The chunk of size 0, and no trailers.</summary>
    public static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>Bytes of the header of a chunk.</summary>
    /// <param name="dataLength">At least 1: a chunk of size 0 ends the body.</param>
    public static int HeaderLength(int dataLength) => (BitOperations.Log2((uint)dataLength) >> 2) + 3;

    /// <summary>Writes the size in hexadecimal, and CRLF.</summary>
    /// <param name="into">At least <see cref="HeaderLength"/> bytes.</param>
    /// <param name="dataLength">At least 1: a chunk of size 0 ends the body.</param>
    /// <returns>Bytes written: <see cref="HeaderLength"/>.</returns>
    public static int WriteHeader(Span<byte> into, int dataLength)
    {
        Utf8Formatter.TryFormat(dataLength, into, out int digits, new('x'));
        "\r\n"u8.CopyTo(into[digits..]);
        return digits + 2;
    }
}
