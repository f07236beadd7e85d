using System.Text;
using Bascule.Core.Model;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Short ways to parse and write heads given as text, one character a byte.</summary>
internal static class Heads
{
    public static readonly Limits Limits = new()
    {
        ConnectionsPerWorker = 100,
        HeaderSize = 16 * 1024,
        RequestLineSize = 8 * 1024,
        HeaderCount = 100,
        PooledPerRealServer = 10,
    };

    public const string Browser =
        "GET /articles/2026/11/seesaw?page=2&sort=newest HTTP/1.1\r\n"
        + "Host: www.example.org\r\n"
        + "Connection: keep-alive\r\n"
        + "Cache-Control: max-age=0\r\n"
        + "Upgrade-Insecure-Requests: 1\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
        + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
        + "Sec-Fetch-Site: same-origin\r\n"
        + "Sec-Fetch-Mode: navigate\r\n"
        + "Referer: https://www.example.org/articles\r\n"
        + "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        + "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
        + "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
        + "\r\n";

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static RequestHead Request(string text)
    {
        RequestHead head = new();
        Assert.Equal(ParseResult.Complete, head.Parse(Bytes(text), Limits));
        return head;
    }

    public static ParseResult RequestResult(string text) => RequestResult(text, Limits);

    /// <summary>Asserts on the way that it makes no difference how the bytes arrive.</summary>
    public static ParseResult RequestResult(string text, Limits limits)
    {
        byte[] bytes = Bytes(text);
        RequestHead head = new();
        ParseResult whole = head.Parse(bytes, limits);
        ParseResult dripped = ParseResult.Incomplete;
        for (int length = 0; length <= bytes.Length && dripped == ParseResult.Incomplete; length++)
            dripped = head.Parse(bytes.AsSpan(0, length), limits);
        Assert.Equal(whole, dripped);
        return whole;
    }

    /// <summary>The head as the real server gets it.</summary>
    public static string Forwarded(string request, string client = "203.0.113.7")
    {
        byte[] input = Bytes(request);
        byte[] output = new byte[input.Length + 1024];
        RequestHead head = new();
        Assert.Equal(ParseResult.Complete, head.Parse(input, Limits));
        int length = RequestWriter.Write(head, input, new(Bytes(client), "http"u8, "192.0.2.10:80"u8), output);
        Assert.True(length > 0);
        return Text(output.AsSpan(0, length));
    }

    public static ResponseHead Response(string text, Method method = Method.Get, bool upgrading = false)
    {
        ResponseHead head = new();
        Assert.Equal(ParseResult.Complete, head.Parse(Bytes(text), Limits, method, upgrading));
        return head;
    }

    /// <summary>Asserts on the way that it makes no difference how the bytes arrive.</summary>
    public static ParseResult ResponseResult(string text, Limits limits)
    {
        byte[] bytes = Bytes(text);
        ResponseHead head = new();
        ParseResult whole = head.Parse(bytes, limits, Method.Get, upgrading: false);
        ParseResult dripped = ParseResult.Incomplete;
        for (int length = 0; length <= bytes.Length && dripped == ParseResult.Incomplete; length++)
            dripped = head.Parse(bytes.AsSpan(0, length), limits, Method.Get, upgrading: false);
        Assert.Equal(whole, dripped);
        return whole;
    }

    /// <summary>The head as the client gets it.</summary>
    public static string Returned(
        string response, Method method = Method.Get, int clientMinorVersion = 1, bool keepAlive = true, bool upgrading = false)
    {
        byte[] input = Bytes(response);
        byte[] output = new byte[input.Length + 1024];
        ResponseHead head = new();
        Assert.Equal(ParseResult.Complete, head.Parse(input, Limits, method, upgrading));
        int length = ResponseWriter.Write(head, input, clientMinorVersion, keepAlive, setCookie: [], output);
        Assert.True(length > 0);
        return Text(output.AsSpan(0, length));
    }

    /// <summary>Field lines of a head, found without our parser.</summary>
    public static string[] FieldLines(string head) => head[..head.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n")[1..];
}
