using System.Collections.Immutable;
using Bascule.Core.Config;

namespace Bascule.Commands;

/// <summary>What <c>bascule check --json</c> says.</summary>
internal sealed record CheckReport(string File, bool Ok, ImmutableArray<CheckReport.Place> Problems, ImmutableArray<string> VirtualServers)
{
    /// <summary>A problem; line and column count from 1.</summary>
    public sealed record Place(int Line, int Column, string What, string Hint);

    public static CheckReport Of(string file, CheckedConfiguration read) => new(
        file,
        read.Meant is not null,
        [.. read.Problems.Select(p => new Place(p.At.Line, p.At.Column, p.What, p.Hint))],
        read.Meant is { } meant ? [.. meant.VirtualServers.Select(v => v.Name)] : []);
}
