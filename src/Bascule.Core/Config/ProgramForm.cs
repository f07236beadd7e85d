namespace Bascule.Core.Config;

/// <summary>How a program is written that the daemon starts: a list of its path and its arguments.</summary>
internal static class ProgramForm
{
    private const int Longest = 4096;

    private static readonly TextForm Argument = new("a text", Longest, (_, text) =>
        text.Contains('\0', StringComparison.Ordinal) ? new("an argument has a zero byte", "remove it") : null);

    /// <param name="nothing">The complaint about an empty list.</param>
    public static ListForm<string> Of(Complaint nothing) => new(Argument, nothing);
}
