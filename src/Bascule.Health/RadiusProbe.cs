using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a RADIUS server answer, and accept somebody? RFC 2865; without anybody, RFC 5997.</summary>
internal sealed class RadiusProbe(RadiusCheck check, string secret, string? password, IPEndPoint target) : DatagramProbe(target)
{
    private readonly byte[] _secret = Encoding.UTF8.GetBytes(secret);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(DatagramTalk talk, CancellationToken cancellation)
    {
        if (password is not null && Encoding.UTF8.GetByteCount(password) > RadiusCheck.LongestPassword) // out of a file: what the configuration says has been refused
            return Verdict.NotAsked($"the password is longer than the {RadiusCheck.LongestPassword} bytes that RADIUS can carry");
        RadiusPacket request = check.User is { } user
            ? RadiusPacket.AccessRequest(user, password ?? "", _secret)
            : RadiusPacket.StatusServer(_secret);
        await talk.SendAsync(request.Bytes, cancellation);
        while (true)
        {
            ReadOnlyMemory<byte> answer = await talk.ReceiveAsync(cancellation);
            if (!request.IsOfAnother(answer.Span)) // a late one, to whoever had our port before
                return request.Judge(answer.Span, _secret);
        }
    }
}

/// <summary>A request, and what its answer comes to.</summary>
/// <code>
/// | Code | Identifier |  Length  |
/// |   Authenticator, 16 bytes    |
/// | Attributes: type length value…
/// </code>
internal readonly record struct RadiusPacket(byte[] Bytes)
{
    private const int HeaderLength = 20, AuthenticatorLength = 16, BlockLength = 16;
    private const byte AccessRequestCode = 1, AccessAccept = 2, AccessReject = 3, AccessChallenge = 11, StatusServerCode = 12;
    private const byte UserName = 1, UserPassword = 2, ReplyMessage = 18, NasIdentifier = 32, MessageAuthenticator = 80;

    private static readonly byte[] Nas = "bascule-check"u8.ToArray(); // RFC 2865 §4.1: who asks must be said

    /// <summary>May this user come in?</summary>
    public static RadiusPacket AccessRequest(string user, string password, byte[] secret)
    {
        byte[] authenticator = RandomNumberGenerator.GetBytes(AuthenticatorLength);
        return Make(AccessRequestCode, authenticator, secret, [(UserName, Encoding.UTF8.GetBytes(user)), (UserPassword, Hide(Encoding.UTF8.GetBytes(password), authenticator, secret))]);
    }

    /// <summary>Are you there?</summary>
    public static RadiusPacket StatusServer(byte[] secret) => Make(StatusServerCode, RandomNumberGenerator.GetBytes(AuthenticatorLength), secret, []);

    /// <summary>Whether this is an answer, but to another request.</summary>
    public bool IsOfAnother(ReadOnlySpan<byte> answer) => LengthOf(answer) > 0 && answer[1] != Bytes[1];

    /// <summary>What this answer comes to. One that is not signed with the secret is none.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "The protocol's, not ours.")]
    public Verdict Judge(ReadOnlySpan<byte> answer, byte[] secret)
    {
        int length = LengthOf(answer);
        if (length == 0 || IsOfAnother(answer))
            return Verdict.Failed($"it does not speak RADIUS: {Conversation.Show(answer)}");
        ReadOnlySpan<byte> attributes = answer[HeaderLength..length];
        byte[] signature = MD5.HashData((byte[])[.. answer[..4], .. Bytes.AsSpan(4, AuthenticatorLength), .. attributes, .. secret]);
        if (!signature.AsSpan().SequenceEqual(answer.Slice(4, AuthenticatorLength)))
            return Verdict.Failed("the answer is signed with another secret");

        string said = Message(attributes) is { Length: > 0 } message ? $": {Conversation.Show(message)}" : "";
        return answer[0] switch
        {
            AccessAccept => Verdict.Pass(Bytes[0] == StatusServerCode ? "it is there" : "accepted"),
            AccessReject => Verdict.Failed($"rejected{said}"),
            AccessChallenge => Verdict.Failed($"it asks back (Access-Challenge){said}"),
            5 when Bytes[0] == StatusServerCode => Verdict.Pass("it is there"), // Accounting-Response: its port for accounting, RFC 5997 §3
            _ => Verdict.Failed(string.Create(CultureInfo.InvariantCulture, $"answered with code {answer[0]}{said}")),
        };
    }

    /// <returns>0: it is no packet.</returns>
    private static int LengthOf(ReadOnlySpan<byte> answer)
    {
        int length = answer.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt16BigEndian(answer[2..]);
        return length < HeaderLength || length > answer.Length ? 0 : length;
    }

    [SuppressMessage("Security", "CA5351", Justification = "The protocol's, not ours.")]
    private static RadiusPacket Make(byte code, byte[] authenticator, byte[] secret, (byte Type, byte[] Value)[] attributes)
    {
        byte[] signature = new byte[16];
        List<byte> bytes = [code, RandomNumberGenerator.GetBytes(1)[0], 0, 0, .. authenticator, MessageAuthenticator, 18, .. signature]; // first, against what came to be known as Blast-RADIUS
        foreach ((byte type, byte[] value) in (ReadOnlySpan<(byte, byte[])>)[(NasIdentifier, Nas), .. attributes])
            bytes.AddRange([type, (byte)(value.Length + 2), .. value]);
        byte[] packet = [.. bytes];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        HMACMD5.HashData(secret, packet).CopyTo(packet, HeaderLength + 2); // RFC 3579 §3.2: of the packet with zeros in its place
        return new(packet);
    }

    // RFC 2865 §5.2: each block is covered by a hash of the one before it.
    [SuppressMessage("Security", "CA5351", Justification = "The protocol's, not ours.")]
    private static byte[] Hide(byte[] password, byte[] authenticator, byte[] secret)
    {
        byte[] hidden = new byte[int.Max(BlockLength, (password.Length + BlockLength - 1) / BlockLength * BlockLength)];
        password.CopyTo(hidden, 0);
        byte[] before = authenticator;
        for (int block = 0; block < hidden.Length; block += BlockLength)
        {
            byte[] cover = MD5.HashData((byte[])[.. secret, .. before]);
            for (int i = 0; i < BlockLength; i++)
                hidden[block + i] ^= cover[i];
            before = hidden[block..(block + BlockLength)];
        }

        return hidden;
    }

    private static string? Message(ReadOnlySpan<byte> attributes)
    {
        while (attributes is [var type, var length, ..] && length >= 2 && length <= attributes.Length)
        {
            if (type == ReplyMessage)
                return Encoding.UTF8.GetString(attributes[2..length]);
            attributes = attributes[length..];
        }

        return null;
    }
}
