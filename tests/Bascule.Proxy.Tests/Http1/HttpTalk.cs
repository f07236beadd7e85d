using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>An answer as a client saw it: the head as it came, the body without its framing.</summary>
internal sealed record Answer(string Head, string Body)
{
    /// <exception cref="FormatException">It is no answer at all.</exception>
    public int Status => Head.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
        ? int.Parse(Head.AsSpan(9, 3), CultureInfo.InvariantCulture)
        : throw new FormatException($"not an answer: {Head}");
}

/// <summary>A client that says exactly what a test tells it to, and reads answers one at a time.</summary>
internal sealed class HttpTalk : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private byte[] _bytes = new byte[4096];
    private int _start;
    private int _end;

    private HttpTalk(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static async Task<HttpTalk> WithAsync(Director director, int receiveBuffer = 0)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer > 0)
            socket.ReceiveBufferSize = receiveBuffer;
        await socket.ConnectAsync(director.Address);
        return new(socket);
    }

    public async Task SendAsync(string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.Latin1.GetBytes(text);
        while (!bytes.IsEmpty)
            bytes = bytes[await Socket.SendAsync(bytes).AsTask().WaitAsync(Patience)..];
    }

    public async Task<Answer> AskAsync(string request)
    {
        await SendAsync(request);
        return await ReadAnswerAsync();
    }

    /// <summary>Reads one answer, interim or final.</summary>
    /// <param name="toHead">The request was HEAD.</param>
    /// <exception cref="EndOfStreamException">It ended before it was complete.</exception>
    public async Task<Answer> ReadAnswerAsync(bool toHead = false)
    {
        string head = await ReadThroughAsync("\r\n\r\n");
        int status = new Answer(head, "").Status;
        if (toHead || status is < 200 or 204 or 304)
            return new(head, "");
        if (head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.Ordinal))
            return new(head, await ReadChunksAsync());
        const string name = "\r\nContent-Length: ";
        int at = head.IndexOf(name, StringComparison.Ordinal);
        if (at < 0)
            return new(head, await ReadToEndAsync());
        at += name.Length;
        return new(head, await ReadAsync(int.Parse(head[at..head.IndexOf("\r\n", at, StringComparison.Ordinal)], CultureInfo.InvariantCulture)));
    }

    /// <summary>Everything up to a proper end.</summary>
    /// <exception cref="SocketException">The other side reset instead.</exception>
    public async Task<string> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }

        return Take(_end - _start);
    }

    /// <summary>Everything that came before the connection broke, or ended.</summary>
    public async Task<(string Text, bool WasReset)> ReadToBreakAsync()
    {
        try
        {
            return (await ReadToEndAsync(), false);
        }
        catch (SocketException)
        {
            return (Take(_end - _start), true);
        }
    }

    /// <summary>Reads up to and including the mark.</summary>
    public async Task<string> ReadThroughAsync(string mark)
    {
        byte[] wanted = Encoding.Latin1.GetBytes(mark);
        int at;
        while ((at = _bytes.AsSpan(_start, _end - _start).IndexOf(wanted)) < 0)
            await NeedMoreAsync();
        return Take(at + mark.Length);
    }

    /// <summary>Reads so many bytes.</summary>
    public async Task<string> ReadAsync(int count)
    {
        while (_end - _start < count)
            await NeedMoreAsync();
        return Take(count);
    }

    public void CloseSendSide() => Socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        Socket.LingerState = new(enable: true, seconds: 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();

    private async Task<string> ReadChunksAsync()
    {
        StringBuilder body = new();
        while (true)
        {
            string size = await ReadThroughAsync("\r\n");
            int length = int.Parse(size.AsSpan(0, size.Length - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            string data = await ReadAsync(length + 2);
            if (length == 0)
                return body.ToString();
            body.Append(data.AsSpan(0, length));
        }
    }

    private string Take(int count)
    {
        string text = Encoding.Latin1.GetString(_bytes, _start, count);
        _start += count;
        return text;
    }

    private async Task NeedMoreAsync()
    {
        if (!await FillAsync())
            throw new EndOfStreamException($"the answer ended after: {Take(_end - _start)}");
    }

    private async Task<bool> FillAsync()
    {
        if (_start > 0)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _bytes.Length)
            Array.Resize(ref _bytes, _end * 2);
        int count = await Socket.ReceiveAsync(_bytes.AsMemory(_end)).AsTask().WaitAsync(Patience);
        _end += count;
        return count > 0;
    }
}
