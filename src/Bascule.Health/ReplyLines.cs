namespace Bascule.Health;

/// <summary>An answer as SMTP and FTP give it: a number of three digits and a text. RFC 5321 §4.2, RFC 959 §4.2.</summary>
/// <param name="Code">0: it was none, and <paramref name="Text"/> is what came.</param>
/// <param name="Text">Its last line, with the number.</param>
internal readonly record struct Reply(int Code, string Text)
{
    private const int MostLines = 200;

    /// <summary>For a sentence.</summary>
    public override string ToString() => Conversation.Show(Text);

    /// <summary>Gives a command, and takes the answer to it.</summary>
    /// <exception cref="ConversationException">It closed before, or has more than 200 lines.</exception>
    public static async ValueTask<Reply> ToAsync(string command, Conversation talk, CancellationToken cancellation)
    {
        await talk.SendAsync($"{command}\r\n", cancellation);
        return await ReadAsync(talk, cancellation);
    }

    /// <summary>Takes one; several lines of it when a hyphen after the number says so.</summary>
    /// <exception cref="ConversationException">It closed before, or has more than 200 lines.</exception>
    public static async ValueTask<Reply> ReadAsync(Conversation talk, CancellationToken cancellation)
    {
        string line = await talk.ReadLineAsync(cancellation);
        if (line.Length < 3 || !line.AsSpan(0, 3).ContainsOnlyDigits() || line is not ([_, _, _] or [_, _, _, ' ' or '-', ..]))
            return new(0, line);
        string end = $"{line[..3]} ";
        for (int lines = 1; line is [_, _, _, '-', ..] || !IsEnd(line, end); lines++)
        {
            if (lines == MostLines)
                throw new ConversationException($"an answer of more than {MostLines} lines");
            line = await talk.ReadLineAsync(cancellation);
        }

        return new(int.Parse(line.AsSpan(0, 3), System.Globalization.CultureInfo.InvariantCulture), line);
    }

    private static bool IsEnd(string line, string end) => line.StartsWith(end, StringComparison.Ordinal) || line == end[..3];
}

/// <summary>What spans lack.</summary>
internal static class Spans
{
    /// <summary>Whether each is one of 0 to 9.</summary>
    public static bool ContainsOnlyDigits(this ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
