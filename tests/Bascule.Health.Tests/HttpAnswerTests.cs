using System.Buffers;
using System.Text;

namespace Bascule.Health.Tests;

/// <summary>An answer comes in any pieces.</summary>
public sealed class HttpAnswerTests
{
    public static TheoryData<string> Answers =>
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;why=not\r\nyes\r\n0\r\nTrailer: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n",
        "HTTP/1.0 503 Busy\n\nuntil it closes",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbroken off",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1",
    ];

    [Theory]
    [MemberData(nameof(Answers))]
    public void Means_the_same_in_two_pieces_wherever_it_is_cut(string bytes)
    {
        HttpAnswer reused = New();
        string whole = Read(New(), bytes);

        Assert.All(Enumerable.Range(0, bytes.Length + 1), cut => Assert.Equal(whole, Read(reused, bytes[..cut], bytes[cut..])));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Means_the_same_byte_by_byte(string bytes) =>
        Assert.Equal(Read(New(), bytes), Read(New(), [.. bytes.Select(b => $"{b}")]));

    [Fact]
    public void Keeps_no_body_that_nobody_looks_at()
    {
        HttpAnswer answer = new(isToHead: false, mostOfBody: 4, keepsBody: false, ArrayPool<byte>.Shared);

        answer.Take("HTTP/1.1 200 OK\r\n\r\nhello"u8);

        Assert.True(answer.IsOver); // four bytes of it are enough
        Assert.True(answer.Body.IsEmpty);
    }

    private static HttpAnswer New() => new(isToHead: false, mostOfBody: 1000, keepsBody: true, ArrayPool<byte>.Shared);

    private static string Read(HttpAnswer answer, params string[] pieces)
    {
        answer.Reset();
        foreach (string piece in pieces)
            answer.Take(Encoding.Latin1.GetBytes(piece));
        answer.Close();
        return $"{answer.Status} {answer.HasHead} {answer.Problem} {Encoding.Latin1.GetString(answer.Body)}";
    }
}
