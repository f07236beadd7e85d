using System.Security.Cryptography;

namespace Bascule.Core.Sessions;

/// <summary>
/// What the cookies of persistence are signed with (HMAC-SHA256, RFC 2104). Directors that take over from each other need the same one; a director that
/// starts again needs the one it had, or each client is scheduled anew.
/// </summary>
public sealed class CookieKey
{
    /// <summary>Bytes of a key.</summary>
    public const int Size = 32;

    private readonly byte[] _key;

    private CookieKey(byte[] key) => _key = key;

    /// <summary>Made when the process started, and forgotten with it.</summary>
    public static CookieKey OfThisProcess { get; } = new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>From a secret of any length, one way: HKDF-SHA256 (RFC 5869) without salt.</summary>
    public static CookieKey Derive(ReadOnlySpan<byte> secret)
    {
        byte[] key = new byte[Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, salt: [], "bascule persistence cookie"u8);
        return new(key);
    }

    /// <summary>Says nothing of the key, so that no log or dump does.</summary>
    public override string ToString() => nameof(CookieKey);

    /// <summary>The key of one real server's cookies.</summary>
    internal byte[] For(ReadOnlySpan<byte> realServer) => HMACSHA256.HashData(_key, realServer);
}
