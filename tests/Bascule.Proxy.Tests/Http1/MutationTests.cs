using System.Diagnostics;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Requests and responses bent at random. Whatever is accepted must be written so that it can be read in only one way.</summary>
public sealed class MutationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    private static readonly string[] Requests =
    [
        Heads.Browser,
        "POST http://a:80/x?y HTTP/1.1\r\nHost: A\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: x\r\nConnection: te, x-a\r\nX-A:1\r\n\r\n",
        "GET /chat HTTP/1.1\r\nHost: [::1]:80\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 1, 2\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nX_Forwarded_For: 1\r\nX-Forwarded-Host: b\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nA:\r\nB: \t c \r\n\r\n",
    ];

    private static readonly string[] ResponseTexts =
    [
        "HTTP/1.1 200 OK\r\nServer: x\r\nDate: now\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close, x-a\r\nX-A: 1\r\nX-B:2\r\n\r\n",
        "HTTP/1.0 404\r\nServer: x\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    ];

    private static readonly string[] Pieces =
    [
        "\r", "\n", "\r\n", " ", "\t", ":", ",", ";", "\0", "\u007f", "\u00e9", "0", "-", "_", "#", "/", "[", "@", "http://b",
        "Host: b\r\n", "Content-Length: 3\r\n", "Content-Length: 12\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Connection: host, content-length\r\n", "X-Forwarded-For: 9\r\n", "\r\n folded", "Expect: x\r\n", "Upgrade: h2c\r\n", "HTTP/1.0", "HTTP/1.1",
    ];

    [Fact]
    public void A_request_that_is_accepted_is_written_so_that_it_reads_the_same()
    {
        Random random = new(2);
        int accepted = 0;
        int refused = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience && accepted + refused < 200_000;)
        {
            byte[] input = Heads.Bytes(Bend(Requests[random.Next(Requests.Length)], random));
            RequestHead head = new();
            if (head.Parse(input, Heads.Limits) == ParseResult.Complete)
            {
                accepted++;
                AssertReadsTheSame(head, input);
            }
            else
            {
                refused++;
            }
        }

        Assert.True(accepted > 100 && refused > 100, $"{accepted} accepted and {refused} refused: too few of one kind to mean anything");
    }

    [Fact]
    public void A_response_that_is_accepted_is_written_so_that_it_reads_the_same()
    {
        Random random = new(3);
        int accepted = 0;
        int refused = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience && accepted + refused < 200_000;)
        {
            byte[] input = Heads.Bytes(Bend(ResponseTexts[random.Next(ResponseTexts.Length)], random));
            ResponseHead head = new();
            if (head.Parse(input, Heads.Limits, Method.Get, upgrading: false) == ParseResult.Complete)
            {
                accepted++;
                AssertReadsTheSame(head, input, clientMinorVersion: random.Next(2), keepAlive: random.Next(2) == 0);
            }
            else
            {
                refused++;
            }
        }

        Assert.True(accepted > 100 && refused > 100, $"{accepted} accepted and {refused} refused: too few of one kind to mean anything");
    }

    private static string Bend(string text, Random random)
    {
        for (int bends = random.Next(4); bends > 0; bends--)
        {
            int at = random.Next(text.Length);
            int length = random.Next(Math.Min(8, text.Length - at));
            string piece = random.Next(3) == 0 ? text.Substring(at, length) : Pieces[random.Next(Pieces.Length)];
            text = random.Next(3) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, piece),
                _ => text.Insert(AfterSomeLine(text, at), piece),
            };
            if (text.Length == 0)
                break;
        }

        return text;
    }

    private static int AfterSomeLine(string text, int at)
    {
        int end = text.IndexOf("\r\n", at, StringComparison.Ordinal);
        return end < 0 ? at : end + 2;
    }

    private static void AssertReadsTheSame(RequestHead head, byte[] input)
    {
        byte[] output = new byte[input.Length + 1024];
        int length = RequestWriter.Write(head, input, new("203.0.113.7"u8, "http"u8, "192.0.2.10:80"u8), output);
        RequestHead again = new();
        Assert.Equal(ParseResult.Complete, again.Parse(output.AsSpan(0, length), Heads.Limits with { HeaderSize = 32 * 1024 }));
        string written = Heads.Text(output.AsSpan(0, length));
        string[] lines = Heads.FieldLines(written);

        Assert.Equal(length, again.Length);
        Assert.Equal(head.MethodName.In(input), again.MethodName.In(output));
        Assert.EndsWith(Heads.Text(head.Target.In(input)), Heads.Text(again.Target.In(output)), StringComparison.Ordinal);
        Assert.Equal((head.Framing, head.ContentLength), (again.Framing, again.ContentLength));
        Assert.Equal((head.IsUpgrade, head.ExpectsContinue), (again.IsUpgrade, again.ExpectsContinue));
        Assert.Equal(EndToEnd(head.Fields, input), EndToEnd(again.Fields, output));
        Assert.Equal(1, Count(lines, "host:"));
        Assert.Equal(head.Framing == BodyFraming.None ? 0 : 1, Count(lines, "content-length:") + Count(lines, "transfer-encoding:"));
        Assert.Equal(1, Count(lines, "x-forwarded-for:"));
        Assert.Equal(1, Count(lines, "x-forwarded-host:"));
        Assert.EndsWith("203.0.113.7", lines.Single(line => line.StartsWith("X-Forwarded-For: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(written.Replace("\r\n", "", StringComparison.Ordinal), c => c is < ' ' and not '\t' or '\u007f');
    }

    private static void AssertReadsTheSame(ResponseHead head, byte[] input, int clientMinorVersion, bool keepAlive)
    {
        byte[] output = new byte[input.Length + 1024];
        int length = ResponseWriter.Write(head, input, clientMinorVersion, keepAlive, setCookie: [], output);
        ResponseHead again = new();
        Assert.Equal(ParseResult.Complete, again.Parse(output.AsSpan(0, length), Heads.Limits with { HeaderSize = 32 * 1024 }, Method.Get, upgrading: false));
        string[] lines = Heads.FieldLines(Heads.Text(output.AsSpan(0, length)));

        Assert.Equal(length, again.Length);
        Assert.Equal((head.Status, Heads.Text(head.StatusText.In(input)).TrimEnd(' ')), (again.Status, Heads.Text(again.StatusText.In(output)).TrimEnd(' ')));
        Assert.Equal(head.FramingToward(clientMinorVersion), again.Framing);
        Assert.Equal(EndToEnd(head.Fields, input), EndToEnd(again.Fields, output));
        Assert.InRange(Count(lines, "content-length:") + Count(lines, "transfer-encoding:"), 0, 1);
        if (head.Status >= 200)
            Assert.Equal(keepAlive && again.Framing != BodyFraming.UntilClose, clientMinorVersion == 0 ? again.Fields.AsksToKeepAlive : again.KeepAlive);
    }

    private static List<(string Name, string Value)> EndToEnd(FieldSection fields, byte[] bytes)
    {
        List<(string, string)> found = [];
        foreach (ref readonly Field field in fields.Fields)
        {
            if (field.Known == KnownField.Other)
                found.Add((Heads.Text(bytes.AsSpan(field.Line.Start, field.NameLength)), Heads.Text(field.Value.In(bytes))));
        }

        return found;
    }

    private static int Count(string[] lines, string name) => lines.Count(line => line.StartsWith(name, StringComparison.OrdinalIgnoreCase));
}
