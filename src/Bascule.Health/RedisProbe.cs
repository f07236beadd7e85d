using System.Globalization;
using System.Net;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a Redis answer PING? Its protocol is RESP 2.</summary>
internal sealed class RedisProbe(RedisCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const int LongestBulk = 1024;

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        if (password is not null)
        {
            await SendAsync(talk, cancellation, check.User is null ? ["AUTH", password] : ["AUTH", check.User, password]);
            if (await talk.ReadLineAsync(cancellation) is not "+OK" and string refusal)
                return Refused(refusal, "the login");
        }

        await SendAsync(talk, cancellation, "PING");
        if (await talk.ReadLineAsync(cancellation) is not "+PONG" and string other)
            return Refused(other, "PING");
        return check.Role is { } role ? await AskRoleAsync(role, talk, cancellation) : Verdict.Pass("PONG");
    }

    /// <summary>ROLE answers with a list, whose first word says it: master, slave or sentinel.</summary>
    private static async ValueTask<Verdict> AskRoleAsync(DatabaseRole role, Conversation talk, CancellationToken cancellation)
    {
        await SendAsync(talk, cancellation, "ROLE");
        string list = await talk.ReadLineAsync(cancellation);
        if (!list.StartsWith('*') || list is "*0")
            return Refused(list, "ROLE");
        string head = await talk.ReadLineAsync(cancellation);
        if (!head.StartsWith('$') || !int.TryParse(head.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length > LongestBulk)
            return Refused(head, "ROLE");
        string word = Encoding.UTF8.GetString(await talk.ReadBytesAsync(length, cancellation));
        string wanted = role == DatabaseRole.Primary ? "master" : "slave";
        return word == wanted ? Verdict.Pass($"PONG, {DatabaseRoles.Word(role)}") : Verdict.Failed($"it is {Conversation.Show(word)}, and is to be a {DatabaseRoles.Word(role)}");
    }

    private static Verdict Refused(string answer, string what) => answer.StartsWith('-')
        ? Verdict.Failed($"answered {what} with {Conversation.Show(answer[1..])}")
        : Verdict.Failed($"it does not speak Redis: {Conversation.Show(answer)}");

    private static ValueTask SendAsync(Conversation talk, CancellationToken cancellation, params ReadOnlySpan<string> words)
    {
        StringBuilder command = new(string.Create(CultureInfo.InvariantCulture, $"*{words.Length}\r\n"));
        foreach (string word in words)
            command.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        return talk.SendAsync(command.ToString(), cancellation);
    }
}
