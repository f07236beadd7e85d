using System.Globalization;
using System.Net.NetworkInformation;

namespace Bascule.Lab.Tests.Pair;

/// <summary>One takeover as the client's machine saw it.</summary>
/// <param name="LastWord">The last advertisement of the one before.</param>
/// <param name="FirstWord">The first of the new one.</param>
/// <param name="FirstAnswer">The first echo from the new one.</param>
internal sealed record Takeover(Sighting LastWord, Sighting FirstWord, Sighting FirstAnswer)
{
    /// <summary>From the last word to the first: what RFC 9568 calls Active_Down_Interval.</summary>
    public TimeSpan Took => TimeProvider.System.GetElapsedTime(LastWord.At, FirstWord.At);

    /// <summary>Waits until a director has spoken twice more: whoever listens now has heard it.</summary>
    public static async Task IsHeardAsync(LabWatch watch, string director)
    {
        PhysicalAddress mac = PhysicalAddress.Parse(PairPlan.MacOf(director));
        Sighting word = await watch.SeesAsync(s => s.What == Sight.Advertisement && s.From.Equals(mac), TimeProvider.System.GetTimestamp());
        await watch.SeesAsync(s => s.What == Sight.Advertisement && s.From.Equals(mac), word.At);
    }

    /// <summary>Waits until a director answers the client.</summary>
    public static Task<Sighting> AnswersAsync(LabWatch watch, string director, long since = 0)
    {
        PhysicalAddress mac = PhysicalAddress.Parse(PairPlan.MacOf(director));
        return watch.SeesAsync(s => s.What == Sight.Answer && s.From.Equals(mac), since);
    }

    /// <summary>Waits until a director speaks and answers, and finds the one before it.</summary>
    /// <param name="since">When it did not yet.</param>
    public static async Task<Takeover> SeenAsync(LabWatch words, LabWatch answers, string by, long since)
    {
        PhysicalAddress mac = PhysicalAddress.Parse(PairPlan.MacOf(by));
        Sighting word = await words.SeesAsync(s => s.What == Sight.Advertisement && s.From.Equals(mac), since);
        Sighting answer = await AnswersAsync(answers, by, since);
        Sighting last = words.Seen.Of(Sight.Advertisement).Last(s => s.At < word.At && !s.From.Equals(mac));
        return new(last, word, answer);
    }

    /// <summary>Kills whoever serves, so often; each time the other takes over, and the killed one starts again. They must not preempt.</summary>
    /// <param name="active">Who serves.</param>
    /// <param name="backup">Who does not.</param>
    /// <returns>The takeovers, by who took over.</returns>
    public static async Task<IReadOnlyList<(string By, Takeover Takeover)>> SeriesAsync(LabWatch words, LabWatch answers, IRouterProcess active, IRouterProcess backup, int count)
    {
        List<(string, Takeover)> takeovers = [];
        for (int i = 0; i < count; i++, (active, backup) = (backup, active))
        {
            await IsHeardAsync(words, active.Director);
            long since = TimeProvider.System.GetTimestamp();
            await active.KillAsync();
            takeovers.Add((backup.Director, await SeenAsync(words, answers, backup.Director, since)));
            await active.StartAgainAsync();
        }

        return takeovers;
    }

    /// <summary>RFC 9568 §6.1: three intervals and the skew of the one that takes over.</summary>
    public static TimeSpan Expected(TimeSpan interval, int priority) => (3 * interval) + (interval * (256 - priority) / 256);

    /// <summary>The median of these is within 20 ms of what the RFC says.</summary>
    public static void AssertAreOnTime(IEnumerable<Takeover> takeovers, TimeSpan interval, int priority)
    {
        TimeSpan[] took = [.. takeovers.Select(t => t.Took).Order()];
        TimeSpan median = (took[(took.Length - 1) / 2] + took[took.Length / 2]) / 2, expected = Expected(interval, priority);
        Assert.True((median - expected).Duration() <= TimeSpan.FromMilliseconds(20), string.Create(CultureInfo.InvariantCulture,
            $"the median of {took.Length} takeovers is {median.TotalMilliseconds:F0} ms, not {expected.TotalMilliseconds:F0}: {string.Join(", ", took.Select(t => $"{t.TotalMilliseconds:F0}"))}"));
    }
}
