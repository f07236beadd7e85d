using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Bascule.Core.Sessions;

/// <summary>The value of a persistence cookie: which real server it leads to, since when, and a signature. To whoever has no key it looks like chance.</summary>
/// <remarks>
/// <code>
/// real server 8 | issued 4, seconds since 1970, 0 where it does not matter | signature 18
/// </code>
/// <para>as 40 letters of base64url (RFC 4648 §5). The real server's number and its signature follow from its address and the key alone: not from its place
/// in a list, and not from the virtual server, since browsers keep one cookie for all ports of a host (RFC 6265 §8.5).</para>
/// </remarks>
internal sealed class CookieToken
{
    /// <summary>Characters.</summary>
    public const int Length = 40;

    private const int Bytes = 30;
    private const int NumberLength = 8;
    private const int SignatureStart = 12;
    private const int SignatureLength = Bytes - SignatureStart;

    private readonly byte[] _key;
    private readonly byte[] _unstamped = new byte[SignatureLength];

    /// <summary>Of this real server.</summary>
    public CookieToken(CookieKey key, IPEndPoint realServer)
    {
        _key = key.For(Encoding.ASCII.GetBytes(realServer.ToString()));
        Number = BinaryPrimitives.ReadUInt64BigEndian(HMACSHA256.HashData(_key, "number"u8));
        Sign(issued: 0, _unstamped);
    }

    /// <summary>Stands for the real server.</summary>
    public ulong Number { get; }

    /// <summary>Takes a value apart, whatever it is.</summary>
    /// <param name="signature">Room for it.</param>
    public static bool TryRead(ReadOnlySpan<byte> value, out ulong number, out uint issued, Span<byte> signature)
    {
        (number, issued) = (0, 0);
        Span<byte> bytes = stackalloc byte[Bytes];
        // TryDecodeFromUtf8 throws what is not base64url at the caller; this one says so. White space, which it would skip, leaves too few bytes.
        if (value.Length != Length || Base64Url.DecodeFromUtf8(value, bytes, out _, out int length) != OperationStatus.Done || length != Bytes)
            return false;
        number = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        issued = BinaryPrimitives.ReadUInt32BigEndian(bytes[NumberLength..]);
        bytes[SignatureStart..].CopyTo(signature);
        return true;
    }

    /// <summary>Writes a value of <see cref="Length"/> characters.</summary>
    public void Write(uint issued, Span<byte> value)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Number);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[NumberLength..], issued);
        Sign(issued, bytes[SignatureStart..]);
        Base64Url.EncodeToUtf8(bytes, value);
    }

    /// <summary>Whether it was signed here, or by a director with the same key. Takes as long for every wrong one.</summary>
    public bool IsGenuine(uint issued, ReadOnlySpan<byte> signature)
    {
        if (issued == 0)
            return CryptographicOperations.FixedTimeEquals(signature, _unstamped);
        Span<byte> right = stackalloc byte[SignatureLength];
        Sign(issued, right);
        return CryptographicOperations.FixedTimeEquals(signature, right);
    }

    /// <summary>Bytes that <see cref="TryRead"/> needs room for.</summary>
    public static int SignatureSize => SignatureLength;

    private void Sign(uint issued, Span<byte> signature)
    {
        Span<byte> text = stackalloc byte[sizeof(uint)];
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt32BigEndian(text, issued);
        HMACSHA256.HashData(_key, text, whole);
        whole[..SignatureLength].CopyTo(signature);
    }
}
