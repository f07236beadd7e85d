using Bascule.Tidy.Tests.Projects;

namespace Bascule.Tidy.Tests.Sources;

/// <summary>One door to the kernel: only Bascule.Linux has pointers and calls into native code.</summary>
public sealed class DoorTests
{
    private const string TheDoor = "Bascule.Linux";

    private static readonly HashSet<string> NativeWords =
        ["unsafe", "DllImport", "LibraryImport", "NativeLibrary", "GetDelegateForFunctionPointer", "DllImportAttribute", "LibraryImportAttribute"];

    [Fact]
    public void Only_the_door_may_be_compiled_with_pointers() =>
        Assert.Equal([TheDoor], Project.All.Where(project => project.AllowsUnsafe).Select(project => project.Name));

    [Fact]
    public void No_shared_setting_allows_pointers_everywhere() =>
        Findings.AreNone(Repository.Files("", "Directory.*").Where(path => Repository.Read(path).Contains("AllowUnsafeBlocks", StringComparison.Ordinal)));

    [Fact]
    public void Only_the_door_has_native_code() =>
        Findings.AreNone(Repository.Files("src", "*.cs").Where(IsOutsideTheDoor).SelectMany(path => Problems(path, Repository.Read(path))));

    [Fact]
    public void The_door_does_have_native_code() =>
        Assert.NotEmpty(Repository.Files($"src/{TheDoor}", "*.cs").SelectMany(path => Problems(path, Repository.Read(path))));

    [Theory]
    [InlineData("internal unsafe struct Head;", "a.cs:1: unsafe")]
    [InlineData("using X;\n[LibraryImport(\"libc\")]\nstatic partial int close(int fd);", "a.cs:2: LibraryImport")]
    [InlineData("[System.Runtime.InteropServices.DllImport(\"libc\")]", "a.cs:1: DllImport")]
    [InlineData("delegate* unmanaged<int, int> call;", "a.cs:1: delegate*")]
    [InlineData("string s = \"\"\"\n  a raw string\n  \"\"\"; unsafe { }", "a.cs:3: unsafe")]
    public void Sees_native_code(string source, string expected) => Assert.Equal([expected], Problems("a.cs", source));

    [Theory]
    [InlineData("// unsafe to call twice")]
    [InlineData("/* DllImport\n unsafe */ int a;")]
    [InlineData("string a = \"unsafe\", b = @\"a \"\" unsafe\", c = $\"{a} unsafe\";")]
    [InlineData("string a = \"\"\"\n  [DllImport] \"quoted\" unsafe\n  \"\"\";")]
    [InlineData("char quote = '\"'; // unsafe\nchar other = '\\'';")]
    [InlineData("public delegate int Choose(int unsafely);")]
    public void Does_not_take_a_comment_or_a_literal_for_code(string source) => Findings.AreNone(Problems("a.cs", source));

    private static bool IsOutsideTheDoor(string path) => !path.StartsWith($"src/{TheDoor}/", StringComparison.Ordinal);

    private static IEnumerable<string> Problems(string path, string source)
    {
        string before = "";
        foreach ((string text, int line) in CSharp.Tokens(source))
        {
            if (NativeWords.Contains(text))
                yield return $"{path}:{line}: {text}";
            if (text == "*" && before == "delegate")
                yield return $"{path}:{line}: delegate*";
            before = text;
        }
    }
}
