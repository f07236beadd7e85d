using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>A place in the configuration file. Both count from 1; columns count characters, a tab being one.</summary>
public sealed record Location(int Line, int Column)
{
    /// <summary>The first character of the file: where problems with the file as a whole are reported.</summary>
    public static Location Start { get; } = new(1, 1);
}

/// <summary>Something wrong in the configuration.</summary>
/// <param name="At">Where it begins.</param>
/// <param name="What">What is wrong: a sentence without a full stop.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record Problem(Location At, string What, string Hint)
{
    /// <summary><c>FILE:LINE:COLUMN: what is wrong (what to do)</c>, the form editors and terminals make clickable.</summary>
    public string Format(string fileName) => $"{fileName}:{At.Line}:{At.Column}: {What} ({Hint})";

    /// <summary>The same, of something that keeps nothing from running: <c>FILE:LINE:COLUMN: warning: …</c>.</summary>
    public string FormatWarning(string fileName) => $"{fileName}:{At.Line}:{At.Column}: warning: {What} ({Hint})";
}

/// <summary>What came of checking a configuration.</summary>
/// <param name="Meant">The configuration; null exactly when there are problems.</param>
/// <param name="Problems">All of them, in the order of the file.</param>
public sealed record CheckedConfiguration(Configuration? Meant, ImmutableArray<Problem> Problems)
{
    /// <summary>What is allowed and most likely not wanted, in the order of the file. Empty while there are problems.</summary>
    public ImmutableArray<Problem> Warnings { get; init; } = [];
}
