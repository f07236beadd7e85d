using System.Globalization;
using System.Text;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Requests, answers and real servers that many tests use.</summary>
internal static class Webs
{
    public const string Get = "GET / HTTP/1.1\r\nHost: s\r\n\r\n";
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// <summary>Answers every request with its name.</summary>
    public static FakeRealServer Named(string name) =>
        FakeRealServer.AnsweringKeepAlive($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");

    /// <summary>Answers a request with the body that came with it, in a length or in chunks.</summary>
    public static FakeRealServer Mirror() => FakeRealServer.Start(async client =>
    {
        while (await client.ReadHeadAsync() is { } head)
        {
            string body = await ReadBodyAsync(client, head);
            await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        }
    });

    /// <summary>Says this once it has read a head, and reads on until the director closes.</summary>
    public static FakeRealServer Saying(string answer) => FakeRealServer.Start(async client =>
    {
        await client.ReadHeadAsync();
        await client.WriteAsync(answer);
        await client.ReadToEndAsync();
    });

    /// <summary>Reads a request's body.</summary>
    public static async Task<string> ReadBodyAsync(FakeConnection client, string head)
    {
        const string length = "\r\nContent-Length: ";
        int at = head.IndexOf(length, StringComparison.Ordinal);
        if (at >= 0)
        {
            at += length.Length;
            int count = int.Parse(head[at..head.IndexOf("\r\n", at, StringComparison.Ordinal)], CultureInfo.InvariantCulture);
            return Encoding.Latin1.GetString(await client.ReadExactlyAsync(count));
        }

        return head.Contains("Transfer-Encoding: chunked", StringComparison.Ordinal) ? await ReadChunksAsync(client) : "";
    }

    /// <summary>A body as chunks of a size, with the last chunk.</summary>
    public static string InChunks(string body, int size)
    {
        StringBuilder chunks = new();
        for (int at = 0; at < body.Length; at += size)
        {
            string chunk = body[at..int.Min(body.Length, at + size)];
            chunks.Append(CultureInfo.InvariantCulture, $"{chunk.Length:x}\r\n{chunk}\r\n");
        }

        return chunks.Append("0\r\n\r\n").ToString();
    }

    /// <summary>Bytes in which a lost or doubled piece shows.</summary>
    public static string Text(int length, int seed = 1)
    {
        Random random = new(seed);
        return string.Create(length, random, (text, chance) =>
        {
            for (int i = 0; i < text.Length; i++)
                text[i] = (char)chance.Next(256);
        });
    }

    /// <summary>Whether two texts are equal, without printing megabytes when they are not.</summary>
    public static void AssertSame(string expected, string actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.Equal(expected.Length, expected.AsSpan().CommonPrefixLength(actual));
    }

    private static async Task<string> ReadChunksAsync(FakeConnection client)
    {
        StringBuilder body = new();
        while (true)
        {
            StringBuilder size = new();
            while (size.Length < 2 || size[^1] != '\n')
                size.Append((char)(await client.ReadExactlyAsync(1))[0]);
            int length = int.Parse(size.ToString().TrimEnd(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            byte[] data = await client.ReadExactlyAsync(length + 2);
            if (length == 0)
                return body.ToString();
            body.Append(Encoding.Latin1.GetString(data, 0, length));
        }
    }
}
