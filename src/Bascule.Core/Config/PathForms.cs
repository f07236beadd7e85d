namespace Bascule.Core.Config;

/// <summary>Texts that name something on this machine.</summary>
internal static class PathForms
{
    /// <summary>linux/if.h: IFNAMSIZ is 16, the last of which is 0.</summary>
    public const int LongestInterface = 15;

    /// <summary>The name of a network interface. Whether it is there is known only when it runs.</summary>
    public static TextForm Interface { get; } = new("the name of an interface, such as eth0", LongestInterface, InterfaceName);

    /// <summary>A file, from the root.</summary>
    /// <param name="example">For the hint.</param>
    public static TextForm File(string example) => new("an absolute path", 4096, (name, text) =>
        !text.StartsWith('/') || text.EndsWith('/') || text.Any(char.IsControl)
            ? new($"`{name}: {Show.Safe(text)}` is not the absolute path of a file", $"write a path that begins with a slash, such as {example}")
            : null);

    /// <summary>A folder, from the root, without a slash at its end.</summary>
    /// <param name="words">What is expected.</param>
    /// <param name="hint">What to write.</param>
    public static TextForm Folder(string words, string hint) => new(words, 200, (name, text) =>
        !text.StartsWith('/') || text.Length == 1 || text.EndsWith('/') || text.Any(char.IsControl)
            ? new($"`{name}: {Show.Safe(text)}` is not the absolute path of a folder", hint)
            : null);

    private static Complaint? InterfaceName(string name, string text) =>
        text is "." or ".." || text.Any(c => c is '/' or ':' || char.IsWhiteSpace(c) || !char.IsAscii(c))
            ? new($"{Show.Quoted(text)} cannot be the name of an interface", "`ip -br link` lists them")
            : null;
}
