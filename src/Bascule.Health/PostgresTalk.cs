using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Bascule.Health;

/// <summary>Talks with a PostgreSQL in messages: a letter, a length that counts itself, and a body.</summary>
internal sealed class PostgresTalk(Conversation talk, CancellationToken cancellation)
{
    private const int Version3 = 3 << 16;
    private const int WantsTls = 80877103; // SSLRequest, in the place of a version
    private const string KnownTypes = "RSKZENTDCIAcHGt";

    /// <summary>Asks for TLS.</summary>
    /// <returns>Whether it agrees: then TLS is the next thing on the wire.</returns>
    /// <exception cref="ConversationException">It is no PostgreSQL.</exception>
    public async ValueTask<bool> AsksForTlsAsync()
    {
        byte[] request = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(request, request.Length);
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(4), WantsTls);
        await talk.SendAsync(request, cancellation);
        while (talk.Heard.IsEmpty)
            await talk.HearMoreAsync(cancellation);
        if (talk.Heard[0] is not ((byte)'S' or (byte)'N'))
            throw NotPostgres();
        return (await talk.ReadBytesAsync(1, cancellation))[0] == 'S';
    }

    /// <summary>Says who we are.</summary>
    public ValueTask StartAsync(string user, string? database)
    {
        string parameters = $"user\0{user}\0{(database is null ? "" : $"database\0{database}\0")}application_name\0bascule-check\0\0";
        byte[] body = Encoding.UTF8.GetBytes(parameters);
        byte[] head = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, head.Length + body.Length);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), Version3);
        return talk.SendAsync((byte[])[.. head, .. body], cancellation);
    }

    /// <summary>Sends a message.</summary>
    public ValueTask SendAsync(char type, byte[] body)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, length.Length + body.Length);
        return talk.SendAsync((byte[])[(byte)type, .. length, .. body], cancellation);
    }

    /// <summary>Takes a message.</summary>
    /// <exception cref="ConversationException">It is none.</exception>
    public async ValueTask<PostgresMessage> ReadAsync()
    {
        while (talk.Heard.IsEmpty)
            await talk.HearMoreAsync(cancellation);
        if (!KnownTypes.Contains((char)talk.Heard[0], StringComparison.Ordinal))
            throw NotPostgres();
        byte[] head = await talk.ReadBytesAsync(5, cancellation);
        int length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4;
        if (length < 0)
            throw NotPostgres();
        return new((char)head[0], await talk.ReadBytesAsync(length, cancellation));
    }

    /// <summary>Asks, and takes everything that comes until it is ready again.</summary>
    public async ValueTask<SqlResult> QueryAsync(string query)
    {
        await SendAsync('Q', [.. Encoding.UTF8.GetBytes(query), 0]);
        SqlResult result = new();
        while (true)
        {
            PostgresMessage message = await ReadAsync();
            result = message.Type switch
            {
                'D' => result with { Rows = result.Rows + 1, First = result.Rows == 0 ? message.FirstColumn() : result.First },
                'E' => result with { Error = message.Error },
                _ => result,
            };
            if (message.Type == 'Z')
                return result;
        }
    }

    /// <summary>The answer to AuthenticationMD5Password.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "The protocol's, not ours: old servers know nothing else.")]
    public static byte[] Md5(string user, string password, ReadOnlySpan<byte> salt)
    {
        string inner = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(password + user)));
        return Encoding.ASCII.GetBytes($"md5{Convert.ToHexStringLower(MD5.HashData((byte[])[.. Encoding.ASCII.GetBytes(inner), .. salt]))}");
    }

    private ConversationException NotPostgres() => new($"it does not speak PostgreSQL: {Conversation.Show(talk.Heard)}");
}

/// <summary>A message.</summary>
/// <param name="Type">Its letter.</param>
/// <param name="Body">What follows the length.</param>
internal readonly record struct PostgresMessage(char Type, byte[] Body)
{
    /// <summary>What an error says to people.</summary>
    public string Error => ErrorField('M') ?? "an error without words";

    /// <summary>A field of an error; null when it has none such.</summary>
    public string? ErrorField(char field) =>
        Encoding.UTF8.GetString(Body).Split('\0').FirstOrDefault(text => text.StartsWith(field)) is { } found ? found[1..] : null;

    /// <summary>What a message of this kind of login says; null when it is another one.</summary>
    public string? Sasl(int kind) =>
        Type == 'R' && Body.Length >= 4 && BinaryPrimitives.ReadInt32BigEndian(Body) == kind ? Encoding.UTF8.GetString(Body.AsSpan(4)) : null;

    /// <summary>The first column of a row; null: none, or NULL.</summary>
    public string? FirstColumn()
    {
        if (Body.Length < 6)
            return null;
        int length = BinaryPrimitives.ReadInt32BigEndian(Body.AsSpan(2));
        return length >= 0 && length <= Body.Length - 6 ? Encoding.UTF8.GetString(Body.AsSpan(6, length)) : null;
    }
}
