using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>
/// The configuration language: text → written (<see cref="Node"/>) → checked (<see cref="Fields"/>) → meant. `bascule check`, start-up,
/// reload and the API's dry run are all this one function.
/// </summary>
public static class ConfigurationText
{
    /// <summary>Bytes of the largest file that is read: some eighty thousand real servers.</summary>
    public const int MaximumBytes = 4 * 1024 * 1024;

    /// <summary>Reads and checks a configuration. Never throws, whatever the bytes; reports every problem it can find, not only the first.</summary>
    /// <param name="utf8">The file's content; a byte order mark is skipped.</param>
    public static CheckedConfiguration Check(ReadOnlySpan<byte> utf8)
    {
        ProblemList problems = new();
        Fields? fields = SourceText.Decode(utf8, problems) is { } text ? Check(text, problems) : null;
        if (!problems.IsEmpty || fields is null)
            return new(null, problems.Sorted());
        Configuration meant = RootSection.Meant(fields);
        return new(meant, []) { Warnings = [.. HaWarnings.Of(fields, meant), .. WeightWarnings.Of(fields, meant), .. PersistenceWarnings.Of(fields, meant)] };
    }

    private static Fields? Check(string text, ProblemList problems)
    {
        Node? root = YamlReader.Read(text, problems);
        if (root is null or ValueNode { IsEmpty: true })
        {
            if (problems.IsEmpty)
                problems.Add(Location.Start, "there is nothing in the file but white space and comments", $"a small configuration is: {RootSection.VirtualServers.Example}");
            return null;
        }

        if (root is MapNode or BrokenNode)
            return RootSection.Section.TryRead(root, RootSection.Section.Title, problems, out Fields? fields) ? fields : null;
        problems.Add(root.At, root is ListNode ? "the file is a list, not a map of settings" : "the file is a text, not a map of settings", $"a small configuration is: {RootSection.VirtualServers.Example}");
        return null;
    }
}
