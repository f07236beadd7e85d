namespace Bascule.Tidy.Tests;

/// <summary>The repository these tests look at: the one they were built from.</summary>
internal static class Repository
{
    /// <summary>Folders that hold nothing of ours.</summary>
    private static readonly HashSet<string> NotOurs = ["artifacts", ".git", "node_modules", "bin", "obj", ".vs", ".idea"];

    /// <summary>The folder that holds Bascule.slnx, an absolute path.</summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>The text of a file, by its path from the root.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Every file below a folder of the repository, as paths from the root with forward slashes, in order.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.Exists(Path.Combine(Root, folder)) ? Walk(Path.Combine(Root, folder), pattern) : [];

    private static IEnumerable<string> Walk(string folder, string pattern)
    {
        foreach (string file in Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal))
            yield return Path.GetRelativePath(Root, file);
        foreach (string child in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            if (NotOurs.Contains(Path.GetFileName(child)))
                continue;
            foreach (string file in Walk(child, pattern))
                yield return file;
        }
    }

    private static string FindRoot(string folder)
    {
        for (string? at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "Bascule.slnx")))
                return at;
        }
        throw new InvalidOperationException($"no Bascule.slnx in {folder} or above it");
    }
}
