namespace Bascule.Core.Config;

/// <summary>Finds what a misspelt word was meant to be.</summary>
internal static class Nearest
{
    private const int LongestCompared = 64;

    /// <summary>The candidate within a third of the word's length in edits; null when none is that near.</summary>
    public static string? To(string word, IEnumerable<string> candidates)
    {
        if (word.Length is 0 or > LongestCompared)
            return null;
        string plain = Plain(word);
        return candidates
            .Select(c => (Candidate: c, Distance: Distance(plain, Plain(c))))
            .Where(c => c.Distance <= int.Max(1, c.Candidate.Length / 3) && c.Distance < c.Candidate.Length)
            .OrderBy(c => c.Distance)
            .Select(c => c.Candidate)
            .FirstOrDefault();
    }

    // People write real_servers and Real-Servers for realServers.
    private static string Plain(string word) =>
        string.Concat(word.Where(c => c is not ('_' or '-' or ' '))).ToLowerInvariant();

    /// <summary>Edits (insert, delete, replace, swap neighbours) between two words: the optimal string alignment distance.</summary>
    internal static int Distance(string from, string to)
    {
        int[,] edits = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
                edits[i, j] = i == 0 || j == 0 ? i + j : Cheapest(edits, from, to, i, j);
        }

        return edits[from.Length, to.Length];
    }

    private static int Cheapest(int[,] edits, string from, string to, int i, int j)
    {
        int replaced = edits[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
        int cheapest = int.Min(replaced, int.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
        bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
        return swapped ? int.Min(cheapest, edits[i - 2, j - 2] + 1) : cheapest;
    }
}
