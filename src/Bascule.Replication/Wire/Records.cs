using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bascule.Replication.Wire;

/// <summary>The form of what follows the handshake: a length of four bytes (of the content), the content under AES-256-GCM, and its tag.</summary>
internal static class RecordForm
{
    /// <summary>Bytes of content at most.</summary>
    public const int LongestContent = 64 * 1024;

    public const int HeadLength = 4;

    public const int TagLength = 16;

    /// <summary>After so many records a connection is closed and opened again, with keys of its own: far below what one key may seal (NIST SP 800-38D §8.3).</summary>
    public const ulong MostRecords = 1UL << 32;

    /// <summary>The length of the content; null when no record has it.</summary>
    public static int? ContentLength(ReadOnlySpan<byte> head) =>
        BinaryPrimitives.ReadUInt32BigEndian(head) is >= 1 and <= LongestContent and var length ? (int)length : null;

    /// <summary>The nonce of a record: its number, XORed into the end of the key's. Never used twice with a key.</summary>
    public static void WriteNonce(RecordKey key, ulong number, Span<byte> nonce)
    {
        key.Start.CopyTo(nonce);
        Span<byte> end = nonce[^8..];
        BinaryPrimitives.WriteUInt64BigEndian(end, BinaryPrimitives.ReadUInt64BigEndian(end) ^ number);
    }
}

/// <summary>Seals what one side says. Used by one task at a time.</summary>
internal sealed class RecordSealer(RecordKey key) : IDisposable
{
    private readonly AesGcm _cipher = new(key.Key, RecordForm.TagLength);
    private ulong _next;

    /// <summary>Whether there is another number to seal with.</summary>
    public bool IsWornOut => _next >= RecordForm.MostRecords;

    /// <summary>Writes the record.</summary>
    /// <param name="content">1 byte to <see cref="RecordForm.LongestContent"/>.</param>
    /// <param name="wire">Has room for it, its head and its tag.</param>
    /// <returns>Bytes written.</returns>
    public int Seal(ReadOnlySpan<byte> content, Span<byte> wire)
    {
        Span<byte> nonce = stackalloc byte[12];
        RecordForm.WriteNonce(key, _next++, nonce);
        Span<byte> head = wire[..RecordForm.HeadLength];
        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)content.Length);
        _cipher.Encrypt(nonce, content, wire.Slice(RecordForm.HeadLength, content.Length), wire.Slice(RecordForm.HeadLength + content.Length, RecordForm.TagLength), head);
        return RecordForm.HeadLength + content.Length + RecordForm.TagLength;
    }

    public void Dispose() => _cipher.Dispose();
}

/// <summary>Opens what the other side says, in the order it was said: a record left out, repeated, moved, changed or sent back does not open.</summary>
internal sealed class RecordOpener(RecordKey key) : IDisposable
{
    private readonly AesGcm _cipher = new(key.Key, RecordForm.TagLength);
    private ulong _next;

    /// <summary>Opens the next record.</summary>
    /// <param name="head">As it came.</param>
    /// <param name="body">Content and tag as they came.</param>
    /// <param name="content">As long as the head says.</param>
    /// <returns>False when it is not the record that belongs here: nothing after it can be believed.</returns>
    public bool TryOpen(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, Span<byte> content)
    {
        if (body.Length != content.Length + RecordForm.TagLength || _next >= RecordForm.MostRecords)
            return false;
        Span<byte> nonce = stackalloc byte[12];
        RecordForm.WriteNonce(key, _next++, nonce);
        try
        {
            _cipher.Decrypt(nonce, body[..content.Length], body[content.Length..], content, head);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();
}
