using System.Text;

namespace Bascule.Proxy.Http1;

/// <summary>What Content-Length and Transfer-Encoding say together. RFC 9112 §6.</summary>
internal static class Framing
{
    /// <summary>Reads both fields, and refuses what two parsers could understand in two ways.</summary>
    /// <param name="framing"><see cref="BodyFraming.None"/> when the head has neither field.</param>
    /// <param name="contentLength">−1 without Content-Length.</param>
    public static ParseResult Read(
        FieldSection fields, ReadOnlySpan<byte> input, int minorVersion, out BodyFraming framing, out long contentLength)
    {
        framing = BodyFraming.None;
        contentLength = -1;
        bool hasLength = fields.Has(KnownField.ContentLength);
        if (fields.Has(KnownField.TransferEncoding))
        {
            framing = BodyFraming.Chunked;
            return hasLength ? ParseResult.LengthAndTransferEncoding : CheckTransferEncoding(fields, input, minorVersion);
        }

        if (!hasLength)
            return ParseResult.Complete;
        if (fields.IsRepeated(KnownField.ContentLength))
            return ParseResult.SeveralContentLengths;

        framing = BodyFraming.Length;
        return Grammar.TryParseLength(fields.First(KnownField.ContentLength).In(input), out contentLength)
            ? ParseResult.Complete
            : ParseResult.MalformedContentLength;
    }

    private static ParseResult CheckTransferEncoding(FieldSection fields, ReadOnlySpan<byte> input, int minorVersion)
    {
        if (minorVersion == 0)
            return ParseResult.TransferEncodingInHttp10;
        if (fields.IsRepeated(KnownField.TransferEncoding))
            return ParseResult.SeveralTransferEncodings;

        ReadOnlySpan<byte> codings = fields.First(KnownField.TransferEncoding).In(input);
        return Ascii.EqualsIgnoreCase(codings, "chunked"u8) ? ParseResult.Complete : NotJustChunked(codings);
    }

    private static ParseResult NotJustChunked(ReadOnlySpan<byte> codings)
    {
        bool chunkedBefore = false;
        if (codings.IsEmpty)
            return ParseResult.MalformedTransferEncoding;
        while (Grammar.TakeElement(ref codings, out ReadOnlySpan<byte> coding))
        {
            if (chunkedBefore || !Grammar.IsToken(coding))
                return ParseResult.MalformedTransferEncoding;
            chunkedBefore = Ascii.EqualsIgnoreCase(coding, "chunked"u8);
        }

        return ParseResult.UnsupportedTransferCoding;
    }
}
