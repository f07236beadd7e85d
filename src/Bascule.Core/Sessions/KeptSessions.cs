using System.Globalization;
using System.Text;

namespace Bascule.Core.Sessions;

/// <summary>
/// Who returns to which real server, as a director that is stopped writes it down for the one that is started after it. Lines of text: when it was
/// written, then of each client what a peer would be told of him (<see cref="SessionEntry"/>), in Base64.
/// </summary>
public static class KeptSessions
{
    /// <summary>Characters at most; the rest is forgotten. Of a full table it is about 20 million.</summary>
    public const int Longest = 128 * 1024 * 1024;

    /// <summary>Everybody that they know; null when that is nobody.</summary>
    public static string? Write(ReplicatedSessions sessions, DateTimeOffset now)
    {
        StringBuilder text = new();
        foreach (ReadOnlyMemory<byte> entry in sessions.Everything())
        {
            if (text.Length > Longest)
                break;
            text.Append('\n').Append(Convert.ToBase64String(entry.Span));
        }

        return text.Length == 0 ? null : $"{now.ToString("O", CultureInfo.InvariantCulture)}{text}\n";
    }

    /// <summary>Lets them know whom the text knows, each as much older as has passed since. What is not understood is passed over.</summary>
    /// <returns>How many entries were understood.</returns>
    public static int Read(string text, ReplicatedSessions sessions, DateTimeOffset now)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || !DateTimeOffset.TryParseExact(lines[0], "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset written))
            return 0;
        TimeSpan since = now > written ? now - written : TimeSpan.Zero; // a clock that was set back makes nobody younger
        Span<byte> entry = stackalloc byte[SessionEntry.Longest];
        int understood = 0;
        foreach (string line in lines.AsSpan(1))
        {
            if (Convert.TryFromBase64String(line, entry, out int length) && sessions.Apply(entry[..length], since))
                understood++;
        }

        return understood;
    }
}
