using System.Collections.Immutable;

namespace Bascule.Core.Config.Sharing;

/// <summary>What two texts have in common, line by line: their longest common subsequence.</summary>
public static class LineDifference
{
    /// <summary>Lines in common around each difference.</summary>
    private const int Around = 3;

    /// <summary>Cells of the table; beyond it, whatever is not equal at the beginning and the end counts as different.</summary>
    private const int MostCells = 4_000_000;

    /// <summary>The lines, each after a space (both have it), <c>-</c> (ours only) or <c>+</c> (theirs only); far from any difference they are left out, and <c>@@</c> stands there.</summary>
    public static ImmutableArray<string> Between(string ours, string theirs)
    {
        string[] a = LinesOf(ours);
        string[] b = LinesOf(theirs);
        int head = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
        int tail = a[head..].Reverse().Zip(b[head..].Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();
        return Shorten([
            .. a[..head].Select(line => " " + line),
            .. Middle(a[head..^tail], b[head..^tail]),
            .. a[^tail..].Select(line => " " + line),
        ]);
    }

    private static IEnumerable<string> Middle(string[] a, string[] b)
    {
        if ((long)(a.Length + 1) * (b.Length + 1) > MostCells)
            return [.. a.Select(line => "-" + line), .. b.Select(line => "+" + line)];
        int[,] common = new int[a.Length + 1, b.Length + 1];
        for (int i = a.Length - 1; i >= 0; i--)
        {
            for (int j = b.Length - 1; j >= 0; j--)
                common[i, j] = a[i] == b[j] ? common[i + 1, j + 1] + 1 : int.Max(common[i + 1, j], common[i, j + 1]);
        }

        return Walk(a, b, common);
    }

    private static IEnumerable<string> Walk(string[] a, string[] b, int[,] common)
    {
        (int i, int j) = (0, 0);
        while (i < a.Length || j < b.Length)
        {
            if (i < a.Length && j < b.Length && a[i] == b[j])
            {
                yield return " " + a[i++];
                j++;
            }
            else if (j == b.Length || (i < a.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                yield return "-" + a[i++];
            }
            else
            {
                yield return "+" + b[j++];
            }
        }
    }

    private static string[] LinesOf(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');

    private static ImmutableArray<string> Shorten(string[] lines)
    {
        bool[] isNear = new bool[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i][0] != ' ')
                Array.Fill(isNear, true, int.Max(0, i - Around), int.Min(lines.Length, i + Around + 1) - int.Max(0, i - Around));
        }

        if (!isNear.Contains(true))
            return [];
        return [.. lines.Index().Where(l => isNear[l.Index] || (l.Index > 0 && isNear[l.Index - 1])).Select(l => isNear[l.Index] ? l.Item : "@@")];
    }
}
