using System.Globalization;
using System.Net.NetworkInformation;

namespace Bascule.Lab.Watch;

/// <summary>What a watch saw, in the order of time, and what follows from it.</summary>
internal sealed class Timeline(IReadOnlyList<Sighting> seen, TimeProvider time)
{
    // Shorter silences of an owner are the lab's own: a busy machine. Longer ones end its being an owner.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>All of it.</summary>
    public IReadOnlyList<Sighting> All => seen;

    /// <summary>What came later than that.</summary>
    public Timeline After(long at) => new([.. seen.Where(s => s.At > at)], time);

    /// <summary>Everybody who said the address is theirs.</summary>
    public IReadOnlyList<PhysicalAddress> Owners => [.. Of(Sight.Owner).Select(s => s.From).Distinct()];

    /// <summary>The longest time in which nothing of this kind was seen, between two that were.</summary>
    public TimeSpan Outage(Sight what) => Of(what).Zip(Of(what).Skip(1), (a, b) => time.GetElapsedTime(a.At, b.At)).DefaultIfEmpty().Max();

    /// <summary>How long more than one machine said in turns that the address is theirs, in all.</summary>
    public TimeSpan Overlap
    {
        get
        {
            (long From, long To)[] terms = [.. Owners.SelectMany(TermsOf).OrderBy(term => term.From)];
            TimeSpan overlap = TimeSpan.Zero;
            long until = long.MinValue;
            foreach ((long from, long to) in terms)
            {
                if (from < until)
                    overlap += time.GetElapsedTime(from, Math.Min(until, to));
                until = Math.Max(until, to);
            }

            return overlap;
        }
    }

    /// <summary>Of one kind.</summary>
    public IEnumerable<Sighting> Of(Sight what) => seen.Where(s => s.What == what);

    /// <summary>The owners in turn, with the time of each in milliseconds since the first sight: for messages.</summary>
    public override string ToString()
    {
        if (seen.Count == 0)
            return "nothing";
        long first = seen[0].At;
        return string.Join('\n', seen.GroupBy(s => (s.What, s.From, s.Router, s.Priority)).Select(g => string.Create(CultureInfo.InvariantCulture,
            $"{g.Key.What} {g.Key.From}{(g.Key.What == Sight.Advertisement ? $" id {g.Key.Router} priority {g.Key.Priority}" : "")}: {g.Count()} times, at {Since(first, g.First().At):F0} to {Since(first, g.Last().At):F0} ms")));
    }

    private double Since(long first, long at) => time.GetElapsedTime(first, at).TotalMilliseconds;

    private IEnumerable<(long From, long To)> TermsOf(PhysicalAddress owner)
    {
        (long From, long To)? term = null;
        foreach (Sighting sighting in Of(Sight.Owner).Where(s => s.From.Equals(owner)))
        {
            if (term is { } open && time.GetElapsedTime(open.To, sighting.At) > Pause)
            {
                yield return open;
                term = null;
            }

            term = (term?.From ?? sighting.At, sighting.At);
        }

        if (term is { } last)
            yield return last;
    }
}
