using System.Net.Sockets;
using System.Text;

namespace Bascule.Testing;

/// <summary>One connection to a <see cref="FakeRealServer"/>, for its script to use.</summary>
public sealed class FakeConnection : IDisposable
{
    private readonly CancellationTokenSource _broken = new();
    private readonly FakeRealServer _server;
    private readonly byte[] _readAhead = new byte[64 * 1024];
    private int _start;
    private int _end;

    internal FakeConnection(Socket socket, FakeRealServer server)
    {
        Socket = socket;
        Socket.NoDelay = true;
        _server = server;
    }

    /// <summary>Cancelled when the server dies or the test ends, so that a script that waits for something else ends too.</summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>For what the methods here do not offer.</summary>
    public Socket Socket { get; }

    /// <summary>Reads up to and including the empty line that ends a head; null when the client closed instead. Noted in <see cref="FakeRealServer.Requests"/>.</summary>
    /// <exception cref="InvalidOperationException">There is no such line in the first 64 KiB.</exception>
    public async Task<string?> ReadHeadAsync()
    {
        while (true)
        {
            int length = _readAhead.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8);
            if (length >= 0)
            {
                string head = Encoding.Latin1.GetString(_readAhead, _start, length + 4);
                _start += length + 4;
                _server.Note(head);
                return head;
            }

            if (!await FillAsync())
                return null;
        }
    }

    /// <summary>Reads some bytes; 0 when the client has closed its side.</summary>
    public async Task<int> ReadAsync(Memory<byte> buffer)
    {
        if (_start == _end)
            return await Socket.ReceiveAsync(buffer);
        int count = int.Min(buffer.Length, _end - _start);
        _readAhead.AsMemory(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    /// <summary>Reads exactly this many bytes.</summary>
    /// <exception cref="InvalidOperationException">The client closed before that.</exception>
    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        byte[] bytes = new byte[count];
        int done = 0;
        while (done < count)
        {
            int more = await ReadAsync(bytes.AsMemory(done));
            if (more == 0)
                throw new InvalidOperationException($"the client closed after {done} of {count} bytes");
            done += more;
        }

        return bytes;
    }

    /// <summary>Throws away what comes until the client closes its side.</summary>
    public async Task ReadToEndAsync()
    {
        byte[] buffer = new byte[4096];
        while (await ReadAsync(buffer) > 0)
        {
        }
    }

    /// <summary>Sends these characters, one byte each.</summary>
    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends these bytes.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await Socket.SendAsync(bytes)..];
    }

    /// <summary>Sends the bytes one by one, with a pause after each.</summary>
    public async Task DripAsync(string text, TimeSpan pause, TimeProvider time)
    {
        foreach (char c in text)
        {
            await WriteAsync(c.ToString());
            await Task.Delay(pause, time, Broken);
        }
    }

    /// <summary>Says that nothing more will be sent, and goes on reading.</summary>
    public void CloseSendSide() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes properly (FIN). Also done when the script returns.</summary>
    public void Dispose() => Socket.Dispose();

    /// <summary>Breaks the connection off (RST).</summary>
    public void Reset()
    {
        try
        {
            Socket.LingerState = new(enable: true, seconds: 0);
            Socket.Dispose();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The script, or the client, was faster.
        }

        _broken.Cancel();
    }

    private async Task<bool> FillAsync()
    {
        if (_start > 0)
        {
            _readAhead.AsSpan(_start, _end - _start).CopyTo(_readAhead);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _readAhead.Length)
            throw new InvalidOperationException("64 KiB without the end of a head");
        int count = await Socket.ReceiveAsync(_readAhead.AsMemory(_end));
        _end += count;
        return count > 0;
    }
}
