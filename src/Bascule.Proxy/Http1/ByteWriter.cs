using System.Buffers.Text;

namespace Bascule.Proxy.Http1;

/// <summary>Appends to a buffer whose size was checked beforehand.</summary>
internal ref struct ByteWriter(Span<byte> output)
{
    private readonly Span<byte> _output = output;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>As they are.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_output[Length..]);
        Length += bytes.Length;
    }

    /// <summary>In decimal digits.</summary>
    public void Append(long number)
    {
        Utf8Formatter.TryFormat(number, _output[Length..], out int written);
        Length += written;
    }

    /// <summary>One field line with its CRLF.</summary>
    public void AppendField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Append(name);
        Append(": "u8);
        Append(value);
        Append("\r\n"u8);
    }

    /// <summary>The line that states how long the body is; none when there is no body, or when it lasts until the connection closes.</summary>
    public void AppendFraming(BodyFraming framing, long contentLength)
    {
        if (framing == BodyFraming.Chunked)
            Append("Transfer-Encoding: chunked\r\n"u8);
        if (framing == BodyFraming.Length)
            AppendContentLength(contentLength);
    }

    /// <summary>Content-Length with its CRLF.</summary>
    public void AppendContentLength(long contentLength)
    {
        Append("Content-Length: "u8);
        Append(contentLength);
        Append("\r\n"u8);
    }
}
