using System.Collections.Immutable;
using Bascule.Core.Config;

namespace Bascule.Commands;

/// <summary>What <c>bascule check --json</c> says.</summary>
internal sealed record CheckReport(string File, bool Ok, ImmutableArray<CheckReport.Place> Problems, ImmutableArray<CheckReport.Place> Warnings, ImmutableArray<string> VirtualServers)
{
    /// <summary>A problem or a warning; line and column count from 1.</summary>
    public sealed record Place(int Line, int Column, string What, string Hint);

    public static CheckReport Of(string file, CheckedConfiguration read) => new(
        file,
        read.Meant is not null,
        Places(read.Problems),
        Places(read.Warnings),
        read.Meant is { } meant ? [.. meant.VirtualServers.Select(v => v.Name)] : []);

    private static ImmutableArray<Place> Places(ImmutableArray<Problem> problems) => [.. problems.Select(p => new Place(p.At.Line, p.At.Column, p.What, p.Hint))];
}
