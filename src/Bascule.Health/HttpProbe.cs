using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it answer this request as expected? Where the loop's own thread does not ask: as a part of a combined check.</summary>
/// <remarks>
/// Written on a socket: <see cref="System.Net.Http.HttpClient"/> would tidy up the path (<c>/a/../b</c>), say what went wrong in
/// sentences of its own, and cost about twice the CPU time and four times the memory a check.
/// </remarks>
internal sealed class HttpProbe(HttpCheck check, IPEndPoint target) : StreamProbe(target)
{
    private readonly HttpQuestion _question = new(check, target);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Socket socket, CancellationToken cancellation)
    {
        for (ReadOnlyMemory<byte> rest = _question.Request; !rest.IsEmpty;)
            rest = rest[await socket.SendAsync(rest, cancellation)..];

        HttpAnswer answer = _question.NewAnswer(ArrayPool<byte>.Shared);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(buffer, cancellation);
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
