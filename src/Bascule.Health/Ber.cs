using System.Buffers.Binary;

namespace Bascule.Health;

/// <summary>Values as LDAP puts them: a tag, a length, a content. X.690, of which RFC 4511 §5.1 takes definite lengths alone.</summary>
internal static class Ber
{
    public const byte Boolean = 0x01, Integer = 0x02, OctetString = 0x04, Enumerated = 0x0A, Sequence = 0x30;

    /// <summary>A value.</summary>
    public static byte[] Write(byte tag, params ReadOnlySpan<byte[]> contents)
    {
        List<byte> content = [];
        foreach (byte[] one in contents)
            content.AddRange(one);
        byte[] length = content.Count < 0x80 ? [(byte)content.Count] : [0x82, (byte)(content.Count >> 8), (byte)content.Count];
        return [tag, .. length, .. content];
    }

    /// <summary>A small number, 0 to 127.</summary>
    public static byte[] Write(byte tag, byte number) => [tag, 1, number];

    /// <summary>Takes a value from the beginning.</summary>
    /// <returns>False when none is there, or not all of it.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> from, out byte tag, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        content = default;
        if (TotalLength(from) is not { } total || total.Head + total.Content > from.Length)
            return false;
        tag = from[0];
        content = from.Slice(total.Head, total.Content);
        from = from[(total.Head + total.Content)..];
        return true;
    }

    /// <summary>How long the value at the beginning is; null: its length has not come yet, or is none that we take (more than 16 MiB).</summary>
    public static (int Head, int Content)? TotalLength(ReadOnlySpan<byte> from)
    {
        if (from.Length < 2)
            return null;
        if (from[1] < 0x80)
            return (2, from[1]);
        int bytes = from[1] & 0x7F; // OpenLDAP and others write four of them, zeros and all
        if (bytes is 0 or > 4 || from.Length < 2 + bytes)
            return null;
        Span<byte> length = stackalloc byte[4];
        from.Slice(2, bytes).CopyTo(length[(4 - bytes)..]);
        uint content = BinaryPrimitives.ReadUInt32BigEndian(length);
        return content < 1 << 24 ? (2 + bytes, (int)content) : null;
    }
}
