using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Bascule.Core.Config.Sharing;

/// <summary>One state of the shared part, and where it comes from.</summary>
/// <param name="Parents">The versions it was made from, by their id: none for the first, two where a conflict was resolved.</param>
/// <param name="Text">The shared part.</param>
/// <param name="At">When it was made, by the clock of the director that made it.</param>
/// <param name="By">The director on which it was made.</param>
/// <param name="Why">In a few words: <c>reload</c>, <c>rollback to 3</c> …</param>
public sealed record ConfigurationVersion(ImmutableArray<string> Parents, string Text, DateTimeOffset At, string By, string Why)
{
    /// <summary>SHA-256 of the parents and the text, as hexadecimal digits. Going back to an old text is a new version: it has another past.</summary>
    public string Id { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{string.Join(' ', Parents)}\n{Text}")));

    /// <summary>As people are shown it.</summary>
    public string ShortId => Id[..12];

    /// <summary>Longest text of <see cref="By"/> and <see cref="Why"/>.</summary>
    public const int LongestNote = 200;
}

/// <summary>How our version stands to the peer's.</summary>
public enum Standing
{
    /// <summary>They are the same.</summary>
    InStep,

    /// <summary>The peer's grew out of ours: we take it.</summary>
    Behind,

    /// <summary>Ours grew out of the peer's: it takes ours.</summary>
    Ahead,

    /// <summary>Both changed: a person decides.</summary>
    Conflict,
}

/// <summary>The versions that the one in force grew out of. Immutable.</summary>
public sealed class ConfigurationHistory
{
    /// <summary>Versions that are kept.</summary>
    public const int Most = 100;

    /// <param name="versions">By number, the oldest first.</param>
    public ConfigurationHistory(IEnumerable<(int Number, ConfigurationVersion Version)> versions) =>
        Versions = [.. versions.OrderBy(v => v.Number).TakeLast(Most)];

    /// <summary>Numbered from 1 on this director, the oldest first.</summary>
    public ImmutableArray<(int Number, ConfigurationVersion Version)> Versions { get; }

    /// <summary>The one in force; null before the first.</summary>
    public ConfigurationVersion? Current => Versions.IsEmpty ? null : Versions[^1].Version;

    /// <summary>The number of the next.</summary>
    public int Next => Versions.IsEmpty ? 1 : Versions[^1].Number + 1;

    /// <summary>Ids of what the one in force grew out of, itself not among them.</summary>
    public ImmutableHashSet<string> Ancestors()
    {
        Dictionary<string, ConfigurationVersion> known = Versions.Select(v => v.Version).DistinctBy(v => v.Id).ToDictionary(v => v.Id);
        HashSet<string> found = [];
        Queue<string> next = new(Current?.Parents ?? []);
        while (next.TryDequeue(out string? id))
        {
            if (found.Add(id) && known.GetValueOrDefault(id) is { } version)
            {
                foreach (string parent in version.Parents)
                    next.Enqueue(parent);
            }
        }

        return [.. found];
    }

    /// <summary>With one more in force.</summary>
    public ConfigurationHistory With(ConfigurationVersion next) => new([.. Versions, (Next, next)]);

    /// <summary>How ours stands to the peer's.</summary>
    /// <param name="theirs">In force there.</param>
    /// <param name="theirAncestors">What that grew out of.</param>
    public Standing Compare(ConfigurationVersion theirs, IReadOnlySet<string> theirAncestors)
    {
        if (Current is not { } ours || theirAncestors.Contains(ours.Id))
            return Standing.Behind;
        if (ours.Id == theirs.Id)
            return Standing.InStep;
        if (Ancestors().Contains(theirs.Id))
            return Standing.Ahead;
        // The same change made on both needs nobody to decide: the one whose id is greater counts.
        if (ours.Text == theirs.Text)
            return string.CompareOrdinal(ours.Id, theirs.Id) < 0 ? Standing.Behind : Standing.Ahead;
        return Standing.Conflict;
    }

    /// <summary>Whether a change proposed by the peer goes on from what is in force here.</summary>
    public bool Continues(ConfigurationVersion proposed) => Current is { } ours && proposed.Parents.Contains(ours.Id);
}
