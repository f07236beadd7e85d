using Bascule.Linux.Process;

namespace Bascule.Vrrp.Handover;

/// <summary>
/// Tables of nftables that live for one handover, made by the <c>nft</c> program. Everything in them ends by itself (set elements have a timeout),
/// so that a director that dies leaves rules behind that no packet meets; the next one removes them.
/// </summary>
internal sealed class NftTables(TimeProvider time)
{
    /// <summary>The names of all of them begin so.</summary>
    public const string Prefix = "bascule-handover-";

    private static readonly string[] Places = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // it takes some 10 ms

    /// <summary>Puts commands into force, all or none.</summary>
    /// <param name="commands">As in a file that <c>nft -f</c> reads; at most 100 KB, the longest argument of a program.</param>
    /// <returns>Null, or why not, as a clause.</returns>
    public async Task<string?> RunAsync(string commands)
    {
        if (Places.FirstOrDefault(File.Exists) is not { } nft)
            return "the nft program is not installed here (Debian: the package nftables)";
        ProgramResult result = await ExternalProgram.RunAsync([nft, commands], new Dictionary<string, string>(), Patience, time, CancellationToken.None);
        return result.IsSuccess ? null : $"nft refused: {result.Output.Split('\n')[0]}";
    }

    /// <summary>Removes what a former life left.</summary>
    public async Task CleanAsync()
    {
        if (Places.FirstOrDefault(File.Exists) is not { } nft)
            return;
        ProgramResult listed = await ExternalProgram.RunAsync([nft, "list tables"], new Dictionary<string, string>(), Patience, time, CancellationToken.None);
        string[] left = [.. listed.Output.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("table ", StringComparison.Ordinal) && line.Contains($" {Prefix}", StringComparison.Ordinal))];
        if (left.Length > 0)
            await RunAsync(string.Join('\n', left.Select(table => $"delete {table}")));
    }

    /// <summary>Commands that make a table, or make it anew.</summary>
    public static string Make(string family, string name, string body) => $"add table {family} {name}\ndelete table {family} {name}\ntable {family} {name} {{\n{body}\n}}\n";

    /// <summary>Commands that remove a table, whether or not it is there.</summary>
    public static string Remove(string family, string name) => $"add table {family} {name}\ndelete table {family} {name}\n";
}
