namespace Bascule.Tidy.Tests;

/// <summary>What a look at the repository found.</summary>
internal static class Findings
{
    /// <summary>Fails with every finding, one a line: whoever reads them wants to mend them all at once.</summary>
    public static void AreNone(IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        if (all.Length > 0)
            Assert.Fail(string.Join('\n', all));
    }
}
