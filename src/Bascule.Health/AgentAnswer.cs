using System.Globalization;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>
/// Reads the line of an agent, as HAProxy's agent-check does (configuration manual, 5.2): words between spaces, tabs and commas, in any order and in any case.
/// <c>75%</c> is a part of the configured weight. <c>ready</c>, <c>drain</c> and <c>maint</c> say what it wants to be treated as; <c>up</c>, <c>down</c>, <c>failed</c>,
/// <c>fail</c> and <c>stopped</c> how it is, and after these <c>#</c> begins the reason. <c>maxconn:30</c> is understood and left alone.
/// Beyond HAProxy, <c>load: 0.75</c> says how loaded it is, as does what <c>uptime</c> writes.
/// </summary>
/// <remarks>Unlike HAProxy nothing is remembered: each line says everything, and one without <c>down</c> is up.</remarks>
internal static class AgentAnswer
{
    private const int MostPercent = 1000;

    /// <summary>The verdict in a line.</summary>
    public static Verdict Read(string line)
    {
        string[] parts = line.Split('#', 2);
        Verdict verdict = Verdict.Pass("");
        List<string> understood = [];
        foreach (string word in parts[0].Split([' ', '\t', ',', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (TryTake(word.ToLowerInvariant(), ref verdict))
                understood.Add(word.ToLowerInvariant());
        }

        if (LoadText.Find(parts[0]) is { } load)
        {
            verdict = verdict with { Load = load };
            understood.Add(string.Create(CultureInfo.InvariantCulture, $"load {load}"));
        }

        if (understood.Count == 0)
            return Verdict.Failed(line.Length == 0 ? "the agent said nothing" : $"the agent said {Conversation.Show(line)}, of which no word is known");
        string reason = parts.Length == 2 && parts[1].Trim() is { Length: > 0 } said ? $" ({Conversation.Show(said)})" : "";
        return verdict with { Why = $"agent: {string.Join(' ', understood)}{reason}" };
    }

    private static bool TryTake(string word, ref Verdict verdict)
    {
        switch (word)
        {
            case "up":
                return true;
            case "ready":
                verdict = verdict with { Wish = AdministrativeState.Enabled };
                return true;
            case "drain":
                verdict = verdict with { Wish = AdministrativeState.Drain };
                return true;
            case "maint":
                verdict = verdict with { Wish = AdministrativeState.Maintenance };
                return true;
            case "down" or "failed" or "fail" or "stopped":
                verdict = verdict with { Passed = false };
                return true;
            case [.. var number, '%'] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int percent):
                verdict = verdict with { Weight = new(int.Min(percent, MostPercent), IsPercent: true) };
                return true;
            default:
                return word.StartsWith("maxconn:", StringComparison.Ordinal);
        }
    }
}
