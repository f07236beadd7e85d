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

    /// <summary>Waits until a director speaks and answers, and finds the one before it.</summary>
    /// <param name="since">When it did not yet.</param>
    public static async Task<Takeover> SeenAsync(LabWatch watch, string by, long since = 0)
    {
        PhysicalAddress mac = PhysicalAddress.Parse(PairPlan.MacOf(by));
        Sighting word = await watch.SeesAsync(s => s.What == Sight.Advertisement && s.From.Equals(mac), since);
        Sighting answer = await watch.SeesAsync(s => s.What == Sight.Answer && s.From.Equals(mac), since);
        Sighting last = watch.Seen.Of(Sight.Advertisement).Last(s => s.At < word.At && !s.From.Equals(mac));
        return new(last, word, answer);
    }

    /// <summary>RFC 9568 §6.1: three intervals and the skew of the one that takes over.</summary>
    public static TimeSpan Expected(TimeSpan interval, int priority) => (3 * interval) + (interval * (256 - priority) / 256);

    public void AssertIsOnTime(TimeSpan interval, int priority, TimeSpan slack)
    {
        TimeSpan late = Took - Expected(interval, priority);
        Assert.True(late.Duration() <= slack, $"it took {Took.TotalMilliseconds:F0} ms, not {Expected(interval, priority).TotalMilliseconds:F0}");
    }
}
