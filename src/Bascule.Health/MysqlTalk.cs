using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Bascule.Health;

/// <summary>Talks with a MySQL in packets: a length of three bytes, a number, and a body.</summary>
internal sealed class MysqlTalk(Conversation talk, CancellationToken cancellation)
{
    private const int MostPackets = 100_000; // of one answer; a check that gets more has a query too many
    private const byte Query = 0x03;
    private const byte Quit = 0x01;

    private byte _number;

    /// <summary>Takes a packet.</summary>
    /// <exception cref="ConversationException">It closed before, or it is none, or longer than 64 KiB.</exception>
    public async ValueTask<byte[]> ReadAsync()
    {
        byte[] head = await talk.ReadBytesAsync(4, cancellation);
        int length = head[0] | (head[1] << 8) | (head[2] << 16);
        if (length == 0 || head[3] != _number)
            throw new ConversationException($"it does not speak MySQL: {Conversation.Show(head)}");
        _number++;
        return await talk.ReadBytesAsync(length, cancellation);
    }

    /// <summary>Sends a packet.</summary>
    public ValueTask SendAsync(byte[] body) =>
        talk.SendAsync((byte[])[(byte)body.Length, (byte)(body.Length >> 8), (byte)(body.Length >> 16), _number++, .. body], cancellation);

    /// <summary>Asks, and takes the whole answer.</summary>
    public async ValueTask<SqlResult> QueryAsync(string query)
    {
        _number = 0;
        await SendAsync([Query, .. Encoding.UTF8.GetBytes(query)]);
        byte[] head = await ReadAsync();
        if (Error(head) is { } refused)
            return new(0, null, refused.Text);
        if (head[0] == 0)
            return new(0, null, null); // done, and there are no rows
        for (int columns = head[0]; columns > 0; columns--)
            await ReadAsync();
        await ReadAsync(); // the end of the columns

        SqlResult result = new();
        for (int packets = 0; packets < MostPackets; packets++)
        {
            byte[] row = await ReadAsync();
            if (Error(row) is { } broken)
                return result with { Error = broken.Text };
            if (row[0] == 0xFE && row.Length < 9)
                return result;
            result = result with { Rows = result.Rows + 1, First = result.Rows == 0 ? FirstColumn(row) : result.First };
        }

        throw new ConversationException($"an answer of more than {MostPackets:N0} rows");
    }

    /// <summary>Says goodbye.</summary>
    public ValueTask QuitAsync()
    {
        _number = 0;
        return SendAsync([Quit]);
    }

    /// <summary>What a packet complains of; null when it does not.</summary>
    public static MysqlError? Error(byte[] packet)
    {
        if (packet is not [0xFF, _, _, ..])
            return null;
        string text = Encoding.UTF8.GetString(packet.AsSpan(3));
        return new(BinaryPrimitives.ReadUInt16LittleEndian(packet.AsSpan(1)), text.StartsWith('#') && text.Length > 6 ? text[6..] : text);
    }

    // Short texts alone are of interest: 0 and 1.
    private static string? FirstColumn(byte[] row) => row[0] < 0xFB && row.Length > row[0] ? Encoding.UTF8.GetString(row.AsSpan(1, row[0])) : null;
}

/// <summary>A complaint.</summary>
internal readonly record struct MysqlError(int Number, string Text)
{
    /// <summary>Who we are is the trouble, so it is well. ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_DBACCESS_DENIED_ERROR.</summary>
    public bool IsAccessDenied => Number is 1045 or 1698 or 1044;
}

/// <summary>The server's first word (Handshake v10), or another kind of login that it asks for.</summary>
/// <param name="Plugin">The kind of login.</param>
/// <param name="Salt">20 bytes.</param>
/// <param name="OffersTls">Whether it knows TLS; only the first word says.</param>
internal sealed record MysqlGreeting(string Plugin, byte[] Salt, bool OffersTls = false)
{
    private const int SaltLength = 20;
    private const string Native = "mysql_native_password";
    private const string CachingSha2 = "caching_sha2_password";

    [Flags]
    private enum Can : uint
    {
        LongPassword = 1,
        ConnectWithDatabase = 8,
        Protocol41 = 0x200,
        Tls = 0x800,
        Transactions = 0x2000,
        SecureConnection = 0x8000,
        PluginAuthentication = 0x80000,
    }

    /// <summary>Null: it is none.</summary>
    public static MysqlGreeting? TryRead(ReadOnlySpan<byte> packet)
    {
        const int AfterVersion = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10; // thread, salt, 0, can, character set, status, can, length, reserved
        if (packet is not [10, ..] || packet.IndexOf((byte)0) < 0)
            return null;
        int at = packet.IndexOf((byte)0) + 1;
        if (packet.Length < at + AfterVersion + SaltLength - 8)
            return null;
        byte[] salt = [.. packet.Slice(at + 4, 8), .. packet.Slice(at + AfterVersion, SaltLength - 8)];
        ReadOnlySpan<byte> rest = packet[(at + AfterVersion + SaltLength - 8)..];
        string plugin = rest.IsEmpty ? Native : Text(rest[1..]);
        Can can = (Can)BinaryPrimitives.ReadUInt16LittleEndian(packet[(at + 4 + 8 + 1)..]);
        return new(plugin.Length == 0 ? Native : plugin, salt, can.HasFlag(Can.Tls));
    }

    /// <summary>Null: it is none.</summary>
    public static MysqlGreeting? TryReadSwitch(ReadOnlySpan<byte> packet)
    {
        int end = packet.IndexOf((byte)0);
        return end > 0 ? new(Text(packet[1..]), [.. packet[(end + 1)..].TrimEnd((byte)0)]) : null;
    }

    /// <summary>Our wish to go on over TLS (SSLRequest): the beginning of <see cref="Login"/>, which follows then.</summary>
    public static byte[] WishForTls(string? database) => Beginning(database, encrypts: true);

    /// <summary>Our answer.</summary>
    /// <param name="encrypts">It has been said by <see cref="WishForTls"/>.</param>
    public byte[] Login(string user, string? password, string? database, bool encrypts)
    {
        byte[] proof = Proof(password) ?? []; // an unknown kind: it will ask for another one, or refuse
        byte[] names = database is null ? [] : [.. Encoding.UTF8.GetBytes(database), 0];
        return [.. Beginning(database, encrypts), .. Encoding.UTF8.GetBytes(user), 0, (byte)proof.Length, .. proof, .. names, .. Encoding.UTF8.GetBytes(Plugin), 0];
    }

    private static byte[] Beginning(string? database, bool encrypts)
    {
        Can can = Can.LongPassword | Can.Protocol41 | Can.Transactions | Can.SecureConnection | Can.PluginAuthentication | (database is null ? 0 : Can.ConnectWithDatabase) | (encrypts ? Can.Tls : 0);
        byte[] numbers = new byte[32];
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, (uint)can);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers.AsSpan(4), 1 << 24); // the largest packet
        numbers[8] = 33; // utf8_general_ci, which every version knows
        return numbers;
    }

    /// <summary>Shows that we know the password without saying it.</summary>
    /// <returns>Null when this kind of login is not known.</returns>
    [SuppressMessage("Security", "CA5350", Justification = "The protocol's, not ours.")]
    public byte[]? Proof(string? password)
    {
        if (Plugin is not (Native or CachingSha2))
            return null;
        if (string.IsNullOrEmpty(password))
            return [];
        byte[] secret = Encoding.UTF8.GetBytes(password);
        return Plugin == Native
            ? Xor(SHA1.HashData(secret), SHA1.HashData((byte[])[.. Salt, .. SHA1.HashData(SHA1.HashData(secret))]))
            : Xor(SHA256.HashData(secret), SHA256.HashData((byte[])[.. SHA256.HashData(SHA256.HashData(secret)), .. Salt]));
    }

    /// <summary>The password itself, for the server's eyes alone: hidden in the salt, and then by the server's key.</summary>
    /// <param name="publicKey">As the server hands it out: RSA, in PEM.</param>
    /// <returns>Null when that is no key, or too short for the password.</returns>
    public byte[]? Sealed(string password, ReadOnlySpan<byte> publicKey)
    {
        byte[] secret = [.. Encoding.UTF8.GetBytes(password), 0];
        for (int i = 0; i < secret.Length; i++)
            secret[i] ^= Salt[i % Salt.Length];
        try
        {
            using RSA key = RSA.Create();
            key.ImportFromPem(Encoding.ASCII.GetString(publicKey));
            return key.Encrypt(secret, RSAEncryptionPadding.OaepSHA1);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    private static byte[] Xor(byte[] one, byte[] other) => [.. one.Zip(other, (a, b) => (byte)(a ^ b))];

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.IndexOf((byte)0) is >= 0 and int end ? bytes[..end] : bytes);
}
