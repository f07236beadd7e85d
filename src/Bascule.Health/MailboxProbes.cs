using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a POP3 server greet us, and let us in? RFC 1939.</summary>
internal sealed class Pop3Probe(Pop3Check check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        string greeting = await talk.ReadLineAsync(cancellation);
        if (!IsGood(greeting))
            return Verdict.Failed(greeting.StartsWith("-ERR", StringComparison.Ordinal) ? $"greeted with {Conversation.Show(greeting)}" : $"it does not speak POP3: {Conversation.Show(greeting)}");

        if (StartsTls)
        {
            string answer = await SayAsync("STLS", talk, cancellation); // RFC 2595 §4
            if (!IsGood(answer))
                return NoTls("STLS", Conversation.Show(answer));
            await EncryptAsync(talk, cancellation);
        }

        if (check.User is { } user)
        {
            string answer = await SayAsync($"USER {user}", talk, cancellation);
            if (IsGood(answer))
                answer = await SayAsync($"PASS {password}", talk, cancellation);
            if (!IsGood(answer))
                return Verdict.Failed($"answered the login with {Conversation.Show(answer)}");
        }

        await SayAsync("QUIT", talk, cancellation);
        return Verdict.Pass(check.User is null ? "+OK" : "logged in");
    }

    private static bool IsGood(string answer) => answer == "+OK" || answer.StartsWith("+OK ", StringComparison.Ordinal);

    private static async ValueTask<string> SayAsync(string command, Conversation talk, CancellationToken cancellation)
    {
        await talk.SendAsync($"{command}\r\n", cancellation);
        return await talk.ReadLineAsync(cancellation);
    }
}

/// <summary>Does an IMAP server greet us, and let us in? RFC 9051, and RFC 3501 alike.</summary>
internal sealed class ImapProbe(ImapCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const int MostLines = 200; // before the answer

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        string greeting = await talk.ReadLineAsync(cancellation);
        if (!greeting.StartsWith("* OK", StringComparison.OrdinalIgnoreCase))
            return Verdict.Failed(greeting.StartsWith("* BYE", StringComparison.OrdinalIgnoreCase) ? $"greeted with {Conversation.Show(greeting)}" : $"it does not speak IMAP: {Conversation.Show(greeting)}");

        if (StartsTls)
        {
            string answer = await SayAsync("a0", "STARTTLS", talk, cancellation); // RFC 9051 §6.2.1
            if (!answer.StartsWith("a0 OK", StringComparison.OrdinalIgnoreCase))
                return NoTls("STARTTLS", Conversation.Show(answer[3..]));
            await EncryptAsync(talk, cancellation);
        }

        if (check.User is { } user)
        {
            string answer = await SayAsync("a1", $"LOGIN {Quoted(user)} {Quoted(password ?? "")}", talk, cancellation);
            if (!answer.StartsWith("a1 OK", StringComparison.OrdinalIgnoreCase))
                return Verdict.Failed($"answered the login with {Conversation.Show(answer[3..])}");
        }

        await SayAsync("a2", "LOGOUT", talk, cancellation);
        return Verdict.Pass(check.User is null ? "OK" : "logged in");
    }

    /// <summary>The answer to a command; what is said beside it is passed over.</summary>
    private static async ValueTask<string> SayAsync(string tag, string command, Conversation talk, CancellationToken cancellation)
    {
        await talk.SendAsync($"{tag} {command}\r\n", cancellation);
        for (int lines = 0; lines < MostLines; lines++)
        {
            string line = await talk.ReadLineAsync(cancellation);
            if (line.StartsWith($"{tag} ", StringComparison.Ordinal))
                return line;
        }

        throw new ConversationException($"an answer of more than {MostLines} lines");
    }

    // RFC 9051 §4.3: quoted strings have no line ends, and of those the configuration is free.
    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
