using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it answer this request as expected? Where the loop's own thread does not ask: over TLS, and as a part of something larger.</summary>
/// <remarks>
/// Written on a socket: <see cref="System.Net.Http.HttpClient"/> would tidy up the path (<c>/a/../b</c>), say what went wrong in
/// sentences of its own, and cost about twice the CPU time and four times the memory a check.
/// </remarks>
internal sealed class HttpProbe(HttpCheck check, IPEndPoint target, TimeProvider time) : StreamProbe(target)
{
    private readonly HttpQuestion _question = new(check, target);
    private readonly TlsClient? _tls = check.Tls is { } terms ? new(terms, time) : null;

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation)
    {
        await using NetworkStream stream = new(socket);
        if (_tls is null)
            return await AskAsync(stream, cancellation);
        await using SslStream tls = await _tls.ConnectAsync(stream, cancellation);
        return await AskAsync(tls, cancellation) with { Warning = _tls.WarningOf(tls) };
    }

    private async ValueTask<Verdict> AskAsync(Stream stream, CancellationToken cancellation)
    {
        await stream.WriteAsync(_question.Request, cancellation);
        HttpAnswer answer = _question.NewAnswer(ArrayPool<byte>.Shared);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            while (true)
            {
                int count = await TlsClient.ReadAsync(stream, buffer, cancellation);
                if (count == 0)
                    answer.Close();
                else
                    answer.Take(buffer.AsSpan(0, count));
                if (_question.VerdictOn(answer) is { } verdict)
                    return verdict;
            }
        }
        finally
        {
            answer.Reset();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
