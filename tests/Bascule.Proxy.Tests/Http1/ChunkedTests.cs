using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class ChunkedTests
{
    private const string Token = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
    private const string Text = @"[^\x00-\x08\x0a-\x1f\x7f]*";
    private const string Size = @"\A[0-9A-Fa-f]{1,15}(;[ \t]*" + Token + Text + @")?\z";
    private const string SizeBegins = @"\A[0-9A-Fa-f]{1,15}(;[ \t]*(" + Token + Text + @")?)?\z";
    private const string Trailer = @"\A(" + Token + "+:" + Text + @")?\z";
    private const string TrailerBegins = @"\A(" + Token + "+(:" + Text + @")?)?\z";

    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world")]
    [InlineData("00000000000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n")]
    [InlineData("5;name\r\nhello\r\n0;last\r\n\r\n", "hello")]
    [InlineData("5; \tname = \"val;ue\" \r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("0\r\nX-Sum: 1\r\nContent-Length: 5\r\nEmpty:\r\n\r\n", "")]
    public void A_body_is_the_data_of_its_chunks_however_it_is_split(string body, string data)
    {
        AssertDecodes(body, ChunkedResult.Complete, data);
        AssertDecodes(body[..^1], ChunkedResult.Incomplete, data);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("x\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("+1\r\n")]
    [InlineData("0x5\r\n")]
    [InlineData(" 5\r\n")]
    [InlineData("5 \r\n")]
    [InlineData("5\t;x\r\n")]
    [InlineData("1_0\r\n")]
    [InlineData("5\n")]
    [InlineData("5\rx")]
    [InlineData("5;\r\n")]
    [InlineData("5; \r\n")]
    [InlineData("5;;\r\n")]
    [InlineData("5;=x\r\n")]
    [InlineData("5;x\n")]
    [InlineData("5;x\r5")]
    [InlineData("5;x\0\r\n")]
    [InlineData("5;x\u007f\r\n")]
    [InlineData("5,5\r\n")]
    [InlineData("5.0\r\n")]
    [InlineData("0000000000000005\r\n")]
    [InlineData("ffffffffffffffff\r\n")]
    [InlineData("10000000000000005\r\n")]
    [InlineData("5\r\nhello0\r\n")]
    [InlineData("5\r\nhello\n0\r\n")]
    [InlineData("5\r\nhello\r0\r\n")]
    [InlineData("5\r\nhello \r\n")]
    [InlineData("5\r\nhello\r\n\r\n")]
    [InlineData("0\r\n\n")]
    [InlineData("0\r\n\rx")]
    [InlineData("0\r\n X: folded\r\n")]
    [InlineData("0\r\nX : y\r\n")]
    [InlineData("0\r\n: y\r\n")]
    [InlineData("0\r\nnocolon\r\n")]
    [InlineData("0\r\nX: a\n\r\n")]
    [InlineData("0\r\nX: a\rb")]
    [InlineData("0\r\nX: a\0b")]
    [InlineData("0\r\nGET / HTTP/1.1\r\n")]
    public void What_two_parsers_could_read_in_two_ways_is_refused(string body) =>
        AssertDecodes(body, ChunkedResult.Malformed, body.StartsWith("5\r\nhello", StringComparison.Ordinal) ? "hello" : "");

    [Fact]
    public void Trailers_and_extensions_are_bounded()
    {
        string fill = new('x', Heads.Limits.HeaderSize);

        AssertResult("0\r\nA: " + fill, ChunkedResult.TooLarge);
        AssertResult("0\r\n" + string.Concat(Enumerable.Repeat("A:x\r\n", Heads.Limits.HeaderSize / 3 + 1)), ChunkedResult.TooLarge);
        AssertResult("5;" + fill + "x", ChunkedResult.TooLarge);
        AssertResult("5;" + fill + "\r\nhello\r\n0\r\n\r\n", ChunkedResult.Complete);
    }

    [Fact]
    public void What_follows_the_body_is_left_alone()
    {
        byte[] buffer = Heads.Bytes("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n");

        ChunkedResult result = new ChunkedDecoder(Heads.Limits).Decode(buffer, out int consumed, out int dataLength);

        Assert.Equal(ChunkedResult.Complete, result);
        Assert.Equal("hello", Heads.Text(buffer.AsSpan(0, dataLength)));
        Assert.Equal("GET / HTTP/1.1\r\n", Heads.Text(buffer.AsSpan(consumed)));
    }

    [Fact]
    public void A_body_that_has_ended_or_was_refused_takes_no_more()
    {
        ChunkedDecoder complete = new(Heads.Limits);
        ChunkedDecoder malformed = new(Heads.Limits);
        complete.Decode(Heads.Bytes("0\r\n\r\n"), out _, out _);
        malformed.Decode(Heads.Bytes("x"), out _, out _);

        Assert.Equal(ChunkedResult.Complete, complete.Decode(Heads.Bytes("5\r\n"), out int consumed, out _));
        Assert.Equal(0, consumed);
        Assert.Equal(ChunkedResult.Malformed, malformed.Decode(Heads.Bytes("5\r\n"), out consumed, out _));
        Assert.Equal(0, consumed);
    }

    [Fact]
    public void Random_bodies_in_random_pieces_decode_as_the_reference_does()
    {
        Random random = new(1);
        for (int round = 0; round < 2000; round++)
        {
            string body = Mutate(RandomBody(random), random);
            (ChunkedResult result, string data) = Decode(body, () => random.Next(1, 40), out int consumed);
            (ChunkedResult expected, string expectedData, int expectedConsumed) = Reference(body);

            Assert.True((expected, expectedData, expectedConsumed) == (result, data, consumed), $"{result} {consumed}, not {expected} {expectedConsumed}: {body}");
        }
    }

    [Theory]
    [InlineData(1, "1\r\n")]
    [InlineData(15, "f\r\n")]
    [InlineData(16, "10\r\n")]
    [InlineData(16384, "4000\r\n")]
    [InlineData(int.MaxValue, "7fffffff\r\n")]
    public void A_chunk_begins_with_its_size_in_hexadecimal(int length, string header)
    {
        byte[] into = new byte[ChunkWriter.MaxHeaderLength];

        int written = ChunkWriter.WriteHeader(into, length);

        Assert.Equal(header, Heads.Text(into.AsSpan(0, written)));
        Assert.Equal(written, ChunkWriter.HeaderLength(length));
    }

    [Fact]
    public void What_is_framed_decodes_to_itself()
    {
        foreach (int length in new[] { 1, 15, 16, 255, 256, 5000 })
        {
            string data = new('d', length);
            byte[] header = new byte[ChunkWriter.MaxHeaderLength];
            int headerLength = ChunkWriter.WriteHeader(header, length);

            AssertResult(
                Heads.Text(header.AsSpan(0, headerLength)) + data + Heads.Text(ChunkWriter.End) + Heads.Text(ChunkWriter.LastChunk),
                ChunkedResult.Complete);
        }
    }

    private static void AssertDecodes(string body, ChunkedResult result, string data)
    {
        Assert.Equal((result, data), Decode(body, () => body.Length, out _));
        Assert.Equal((result, data), Decode(body, () => 1, out _));
        Assert.Equal((result, data), Decode(body, () => 3, out _));
    }

    private static void AssertResult(string body, ChunkedResult result) =>
        Assert.Equal(result, Decode(body, () => 100, out _).Result);

    private static (ChunkedResult Result, string Data) Decode(string body, Func<int> pieceLength, out int consumed)
    {
        byte[] bytes = Heads.Bytes(body);
        ChunkedDecoder decoder = new(Heads.Limits);
        ChunkedResult result = ChunkedResult.Incomplete;
        StringBuilder data = new();
        consumed = 0;
        while (consumed < bytes.Length && result == ChunkedResult.Incomplete)
        {
            Span<byte> piece = bytes.AsSpan(consumed, Math.Min(pieceLength(), bytes.Length - consumed));
            result = decoder.Decode(piece, out int taken, out int dataLength);
            Assert.True(taken == piece.Length || result != ChunkedResult.Incomplete);
            Assert.InRange(dataLength, 0, taken);
            data.Append(Heads.Text(piece[..dataLength]));
            consumed += taken;
        }

        return (result, data.ToString());
    }

    private static string RandomBody(Random random)
    {
        StringBuilder body = new();
        for (int chunk = random.Next(4); chunk > 0; chunk--)
        {
            int length = random.Next(1, 50);
            body.Append(length.ToString(random.Next(2) == 0 ? "x" : "X3", CultureInfo.InvariantCulture));
            body.Append(random.Next(4) == 0 ? "; e=\"f\"\r\n" : "\r\n");
            body.Append(new string((char)random.Next('a', 'z'), length)).Append("\r\n");
        }

        return body.Append("0\r\n").Append(random.Next(4) == 0 ? "T: u\r\n\r\n" : "\r\n").Append("GET /").ToString();
    }

    /// <summary>Half of them stay as they are.</summary>
    private static string Mutate(string body, Random random)
    {
        if (random.Next(2) == 0)
            return body;
        int at = random.Next(body.Length);
        const string Awkward = "\r\n \t;:0aFx\0\u007f\u00e9";
        string with = Awkward[random.Next(Awkward.Length)].ToString();
        return random.Next(3) switch
        {
            0 => body.Remove(at, 1),
            1 => body.Insert(at, with),
            _ => body.Remove(at, 1).Insert(at, with),
        };
    }

    /// <summary>The grammar again, over whole lines of text instead of single bytes. Must agree to the byte about where a body ends or breaks.</summary>
    private static (ChunkedResult Result, string Data, int Consumed) Reference(string body)
    {
        StringBuilder data = new();
        int at = 0;
        while (true)
        {
            (ChunkedResult line, int end) = ReferenceLine(body, at, SizeBegins, Size);
            if (line != ChunkedResult.Complete)
                return (line, data.ToString(), end);
            long size = long.Parse(body[at..].Split(';', '\r')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at = end;
            if (size == 0)
                return ReferenceTrailers(body, at, data.ToString());

            int take = (int)Math.Min(size, body.Length - at);
            data.Append(body, at, take);
            at += take;
            foreach (char expected in "\r\n")
            {
                if (at == body.Length)
                    return (ChunkedResult.Incomplete, data.ToString(), at);
                if (body[at++] != expected)
                    return (ChunkedResult.Malformed, data.ToString(), at);
            }
        }
    }

    private static (ChunkedResult Result, string Data, int Consumed) ReferenceTrailers(string body, int at, string data)
    {
        while (true)
        {
            (ChunkedResult line, int end) = ReferenceLine(body, at, TrailerBegins, Trailer);
            if (line != ChunkedResult.Complete || end == at + 2)
                return (line, data, end);
            at = end;
        }
    }

    /// <summary>Grows a line until it can no longer become a good one.</summary>
    private static (ChunkedResult Result, int End) ReferenceLine(string body, int at, string beginning, string whole)
    {
        for (int end = at; end < body.Length; end++)
        {
            string line = body[at..end];
            if (body[end] == '\r')
            {
                if (!Regex.IsMatch(line, whole))
                    return (ChunkedResult.Malformed, end + 1);
                if (end + 1 == body.Length)
                    return (ChunkedResult.Incomplete, end + 1);
                return (body[end + 1] == '\n' ? ChunkedResult.Complete : ChunkedResult.Malformed, end + 2);
            }

            if (!Regex.IsMatch(body[at..(end + 1)], beginning))
                return (ChunkedResult.Malformed, end + 1);
        }

        return (ChunkedResult.Incomplete, body.Length);
    }
}
