using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Health;

/// <summary>The other side ended the conversation too early, or said more than anybody needs. The message is a verdict's.</summary>
internal sealed class ConversationException(string why) : Exception(why);

/// <summary>The director itself cannot ask; that says nothing about the real server. The message is a verdict's.</summary>
internal sealed class CannotAskException(string why) : Exception(why);

/// <summary>Talks with a real server in lines or in bytes, and remembers at most 64 KiB of what it has said and nobody has taken yet.</summary>
/// <param name="connection">Over this, which the caller closes.</param>
internal sealed class Conversation(NetworkStream connection) : IAsyncDisposable
{
    /// <summary>Bytes that may wait to be taken.</summary>
    public const int Most = 64 * 1024;

    private byte[] _buffer = new byte[1024];
    private int _start;
    private int _end;

    /// <summary>Our end of the connection.</summary>
    public IPEndPoint Local => (IPEndPoint)connection.Socket.LocalEndPoint!;

    /// <summary>What encrypts it; null: nothing.</summary>
    public SslStream? Tls { get; private set; }

    private Stream Stream => Tls is null ? connection : Tls;

    /// <summary>What has come and is not taken. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Heard => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Goes on over TLS.</summary>
    /// <exception cref="ConversationException">There is no TLS, its certificate is not accepted, or something is waiting to be taken.</exception>
    public async ValueTask EncryptAsync(TlsClient tls, CancellationToken cancellation)
    {
        // Anybody on the way could have put it there, and it would pass for the server's own words under TLS (CVE-2011-0411).
        if (!Heard.IsEmpty)
            throw new ConversationException($"said {Show(Heard)} before TLS had begun, which anybody on the way could have added");
        Tls = await tls.ConnectAsync(connection, cancellation);
    }

    /// <summary>Says the last word of TLS, where there is one: who goes without is written into some servers' logs.</summary>
    public async ValueTask LeaveAsync()
    {
        try
        {
            if (Tls is not null)
                await Tls.ShutdownAsync();
        }
        catch (IOException)
        {
            // It has closed already.
        }
    }

    /// <summary>Lets go of what encrypts it.</summary>
    public ValueTask DisposeAsync() => Tls?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Sends bytes.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        await Stream.WriteAsync(bytes, cancellation);
        await Stream.FlushAsync(cancellation);
    }

    /// <summary>Sends text, as UTF-8 and as it is: the end of a line is the caller's to write.</summary>
    public ValueTask SendAsync(string text, CancellationToken cancellation) => SendAsync(Encoding.UTF8.GetBytes(text), cancellation);

    /// <summary>Takes a line, without its CR LF or LF. Bytes that are not UTF-8 become U+FFFD.</summary>
    /// <exception cref="ConversationException">It closed before, or the line does not end.</exception>
    public async ValueTask<string> ReadLineAsync(CancellationToken cancellation)
    {
        int length;
        while ((length = Heard.IndexOf((byte)'\n')) < 0)
            await HearMoreAsync(cancellation);
        ReadOnlySpan<byte> line = Heard[..length];
        _start += length + 1;
        return Encoding.UTF8.GetString(line is [.., (byte)'\r'] ? line[..^1] : line);
    }

    /// <summary>Takes a line, or what has come of it when the other side closes: some never end their only line.</summary>
    /// <exception cref="ConversationException">It does not end.</exception>
    public async ValueTask<string> ReadLastLineAsync(CancellationToken cancellation)
    {
        while (Heard.IndexOf((byte)'\n') < 0)
        {
            if (!await TryHearMoreAsync(cancellation))
            {
                string rest = Encoding.UTF8.GetString(Heard);
                _start = _end;
                return rest;
            }
        }

        return await ReadLineAsync(cancellation);
    }

    /// <summary>Takes so many bytes.</summary>
    /// <exception cref="ConversationException">It closed before, or these are more than <see cref="Most"/>.</exception>
    public async ValueTask<byte[]> ReadBytesAsync(int count, CancellationToken cancellation)
    {
        if (count > Most)
            throw new ConversationException("the answer is longer than 64 KiB");
        while (Heard.Length < count)
            await HearMoreAsync(cancellation);
        byte[] bytes = Heard[..count].ToArray();
        _start += count;
        return bytes;
    }

    /// <summary>Takes what has come so far up to this position of <see cref="Heard"/>.</summary>
    public void Take(int count) => _start += count;

    /// <summary>Waits until more has come.</summary>
    /// <exception cref="ConversationException">It closed, or <see cref="Most"/> bytes are waiting already.</exception>
    public async ValueTask HearMoreAsync(CancellationToken cancellation)
    {
        if (!await TryHearMoreAsync(cancellation))
            throw new ConversationException(_start == _end ? "closed without an answer" : $"closed after {Show(Heard)}");
    }

    /// <summary>Waits until more has come.</summary>
    /// <returns>False when it closed.</returns>
    /// <exception cref="ConversationException"><see cref="Most"/> bytes are waiting already.</exception>
    public async ValueTask<bool> TryHearMoreAsync(CancellationToken cancellation)
    {
        MakeRoom();
        int count = await TlsClient.ReadAsync(Stream, _buffer.AsMemory(_end), cancellation);
        _end += count;
        return count > 0;
    }

    /// <summary>The beginning of what a real server said, for a sentence: in quotes, at most 60 characters. The sentence is cleaned as a whole, by <see cref="Said"/>.</summary>
    public static string Show(ReadOnlySpan<byte> bytes) => Show(Encoding.UTF8.GetString(bytes[..int.Min(bytes.Length, 200)]));

    /// <inheritdoc cref="Show(ReadOnlySpan{byte})"/>
    public static string Show(string text) => $"\"{Said.Cut(text.TrimEnd(), 61)}\"";

    private void MakeRoom()
    {
        if (_start == _end)
            (_start, _end) = (0, 0);
        if (_end < _buffer.Length)
            return;
        int waiting = _end - _start;
        if (waiting == Most)
            throw new ConversationException("it says more than 64 KiB, and not what is expected");
        byte[] after = waiting > _buffer.Length / 2 ? new byte[int.Min(Most, _buffer.Length * 2)] : _buffer;
        Heard.CopyTo(after);
        (_buffer, _start, _end) = (after, 0, waiting);
    }
}
