using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>What a reload did: <c>POST /v1/reload</c>. Names are those of virtual servers.</summary>
public sealed record ReloadResult
{
    /// <summary>Whether the file is now in force. If not, the daemon runs on unchanged and <see cref="Problems"/> says why.</summary>
    public required bool Applied { get; init; }

    /// <summary>1 at start, one more with each reload that was applied.</summary>
    public required long Snapshot { get; init; }

    /// <summary>What kept the file from being applied; each a line for the operator.</summary>
    public required ImmutableArray<string> Problems { get; init; }

    /// <summary>What is most likely not wanted, and what was not applied because it needs a restart; each a line for the operator.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>New in the file.</summary>
    public required ImmutableArray<string> Added { get; init; }

    /// <summary>Gone from the file.</summary>
    public required ImmutableArray<string> Removed { get; init; }

    /// <summary>In the file before and after, but different.</summary>
    public required ImmutableArray<string> Changed { get; init; }

    /// <summary>The same as before; their clients notice nothing.</summary>
    public required ImmutableArray<string> Kept { get; init; }

    /// <summary>The file was not applied.</summary>
    public static ReloadResult Refused(Snapshot current, IEnumerable<string> problems) => new()
    {
        Applied = false,
        Snapshot = current.Version,
        Problems = [.. problems],
        Warnings = [],
        Added = [],
        Removed = [],
        Changed = [],
        Kept = [.. current.VirtualServers.Select(v => v.Configured.Name)],
    };

    /// <summary>The file was applied.</summary>
    public static ReloadResult Between(Snapshot before, Snapshot after, IEnumerable<string> warnings)
    {
        Dictionary<string, LiveVirtualServer> old = before.VirtualServers.ToDictionary(v => v.Configured.Name);
        ILookup<bool, LiveVirtualServer> known = after.VirtualServers.ToLookup(v => old.ContainsKey(v.Configured.Name));
        // An unchanged virtual server keeps its very object: see Snapshot.Next.
        ILookup<bool, LiveVirtualServer> same = known[true].ToLookup(v => ReferenceEquals(old[v.Configured.Name], v));
        return new()
        {
            Applied = true,
            Snapshot = after.Version,
            Problems = [],
            Warnings = [.. warnings],
            Added = Names(known[false]),
            Removed = Names(before.VirtualServers.ExceptBy(after.VirtualServers.Select(v => v.Configured.Name), v => v.Configured.Name)),
            Changed = Names(same[false]),
            Kept = Names(same[true]),
        };
    }

    private static ImmutableArray<string> Names(IEnumerable<LiveVirtualServer> virtualServers) =>
        [.. virtualServers.Select(v => v.Configured.Name)];

    /// <summary>One line: <c>added shop; changed web; kept mail, news</c>.</summary>
    public string Summary()
    {
        string[] parts =
        [
            .. new[] { ("added", Added), ("removed", Removed), ("changed", Changed), ("kept", Kept) }
                .Where(p => !p.Item2.IsEmpty)
                .Select(p => $"{p.Item1} {string.Join(", ", p.Item2)}"),
        ];
        return string.Join("; ", parts);
    }
}
