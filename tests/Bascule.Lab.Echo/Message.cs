using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Lab.Echo;

/// <summary>
/// What goes over a connection. The server begins with its name, in 16 bytes; then the client sends messages, and each comes back as it was:
/// <code>
/// | connection, 8 bytes | number, 8 bytes: 0, 1, 2 … |
/// </code>
/// </summary>
internal static class Message
{
    public const int Length = 16;

    public static void Write(Span<byte> message, long connection, long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, connection);
        BinaryPrimitives.WriteInt64BigEndian(message[8..], number);
    }

    public static long NumberOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadInt64BigEndian(message[8..]);

    public static byte[] Greeting(string name) => Encoding.ASCII.GetBytes(name.PadRight(Length));

    public static string NameIn(ReadOnlySpan<byte> greeting) => Encoding.ASCII.GetString(greeting[..Length]).TrimEnd();

    /// <summary>Fills the buffer.</summary>
    /// <returns>false at the end of the stream.</returns>
    public static async ValueTask<bool> ReadAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellation = default)
    {
        while (buffer.Length > 0)
        {
            int count = await socket.ReceiveAsync(buffer, cancellation);
            if (count == 0)
                return false;
            buffer = buffer[count..];
        }

        return true;
    }
}
