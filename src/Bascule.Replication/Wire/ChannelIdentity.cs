using System.Security.Cryptography;
using System.Text;

namespace Bascule.Replication.Wire;

/// <summary>Which two directors a channel is between, and what only these two know. The names are part of every proof: bytes of one pair, or of the other direction, prove nothing.</summary>
internal sealed class ChannelIdentity
{
    private readonly byte[] _key;
    private readonly byte[] _names;

    /// <param name="key">The key of the pair.</param>
    /// <param name="dialer">The name of the director that opens the connection.</param>
    /// <param name="listener">The name of the other.</param>
    public ChannelIdentity(byte[] key, string dialer, string listener)
    {
        _key = key;
        _names = [.. SHA256.HashData(Encoding.UTF8.GetBytes(dialer)), .. SHA256.HashData(Encoding.UTF8.GetBytes(listener))];
    }

    /// <summary>What makes a hello worth an answer: without it nobody makes us do arithmetic on curves.</summary>
    public byte[] ProveHello(ReadOnlySpan<byte> hello) => Prove(Derive(_key, [], "hello", 32), [.. _names, .. hello]);

    /// <summary>The secrets of one connection.</summary>
    /// <param name="agreed">What the two ephemeral keys agree on.</param>
    /// <param name="hello">The dialer's first message, whole.</param>
    /// <param name="answer">The listener's message up to its proof.</param>
    public ChannelSecrets Agree(byte[] agreed, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> answer)
    {
        byte[] transcript = SHA256.HashData([.. "bascule channel 1"u8, .. _names, .. hello, .. answer]);
        byte[] material = [.. agreed, .. _key];
        return new(
            Proof(material, transcript, "listener proof"), Proof(material, transcript, "dialer proof"),
            RecordKey.From(Derive(material, transcript, "listener records", RecordKey.Length)),
            RecordKey.From(Derive(material, transcript, "dialer records", RecordKey.Length)));
    }

    private static byte[] Proof(byte[] material, byte[] transcript, string purpose) =>
        Prove(Derive(material, transcript, purpose, 32), transcript);

    private static byte[] Prove(byte[] key, byte[] what) => HMACSHA256.HashData(key, what);

    private static byte[] Derive(byte[] material, byte[] salt, string purpose, int length) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material, length, salt, Encoding.UTF8.GetBytes($"bascule channel {purpose}"));
}

/// <summary>What both sides know once they have agreed; each proves it to the other before anything is said.</summary>
internal sealed record ChannelSecrets(byte[] ListenerProof, byte[] DialerProof, RecordKey FromListener, RecordKey FromDialer);

/// <summary>The key of one direction.</summary>
/// <param name="Key">Of AES-256.</param>
/// <param name="Start">The nonce that is XORed with each record's number. RFC 8446 §5.3.</param>
internal sealed record RecordKey(byte[] Key, byte[] Start)
{
    public const int Length = 32 + 12;

    public static RecordKey From(byte[] bytes) => new(bytes[..32], bytes[32..Length]);
}
