using System.Runtime.CompilerServices;

namespace Bascule.Core.Tests.Config;

/// <summary>Where these tests and their data lie in the working copy.</summary>
internal static class TestFolder
{
    public static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    /// <summary>The folder of the whole repository.</summary>
    public static string Repository => Path.GetFullPath(Path.Combine(Here(), "..", "..", ".."));
}
