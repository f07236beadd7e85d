using System.Diagnostics;

namespace Bascule.Tidy.Tests.Scripts;

/// <summary>./bascule: builds when the sources changed and only then, and stays out of the program's way.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Builds_once_and_passes_the_arguments_on()
    {
        Ran first = _sandbox.Run("bascule", "status", "--json");
        Ran second = _sandbox.Run("bascule", "status", "two words");

        Assert.EndsWith(": status --json\n", first.Output);
        Assert.EndsWith(": status two words\n", second.Output);
        Assert.Single(_sandbox.Builds);
    }

    [Fact]
    public void Says_one_line_about_a_build_on_standard_error_and_nothing_when_there_is_none()
    {
        Ran first = _sandbox.Run("bascule");
        Ran second = _sandbox.Run("bascule");

        Assert.Single(first.Errors.TrimEnd().Split('\n'));
        Assert.Equal("", second.Errors);
        Assert.Equal(first.Output, second.Output);
    }

    [Theory]
    [InlineData("src/Bascule.Core/Model.cs", "class Edited;")]
    [InlineData("src/Bascule.Core/New.cs", "class New;")]
    [InlineData("Directory.Packages.props", "<Project />")]
    [InlineData("nuget.config", "<configuration />")]
    public void Builds_again_when_a_source_is_edited_or_added(string path, string text)
    {
        _sandbox.Run("bascule");
        _sandbox.Write(path, text);

        _sandbox.Run("bascule");

        Assert.Equal(2, _sandbox.Builds.Length);
    }

    [Fact]
    public void Builds_again_when_a_source_is_deleted()
    {
        _sandbox.Run("bascule");
        _sandbox.Delete("src/Bascule.Core/Model.cs");

        _sandbox.Run("bascule");

        Assert.Equal(2, _sandbox.Builds.Length);
    }

    [Fact]
    public void Does_not_build_for_a_test_a_page_an_editor_s_backup_or_a_branch_switched_forth_and_back()
    {
        _sandbox.Run("bascule");
        _sandbox.Write("tests/Bascule.Core.Tests/ModelTests.cs", "class ModelTests;");
        _sandbox.Write("README.md", "# Bascule");
        _sandbox.Write("src/Bascule/Program.cs~", "return 1;");
        _sandbox.Write("src/Bascule/Program.cs", "return 0;");

        _sandbox.Run("bascule");

        Assert.Single(_sandbox.Builds);
    }

    [Fact]
    public void Builds_everything_when_a_changed_source_is_older_than_the_last_build()
    {
        _sandbox.Run("bascule");
        _sandbox.Write("src/Bascule/Program.cs", "return 2;");
        File.SetLastWriteTimeUtc(Path.Combine(_sandbox.Root, "src/Bascule/Program.cs"), DateTime.UnixEpoch);
        _sandbox.Run("bascule");
        _sandbox.Write("src/Bascule/Program.cs", "return 3;");
        _sandbox.Run("bascule");

        Assert.Contains("--no-incremental", _sandbox.Builds[1]);
        Assert.DoesNotContain("--no-incremental", _sandbox.Builds[2]);
    }

    [Fact]
    public void Builds_after_a_suite_alone_was_built_from_an_edit_and_not_after_one_that_was_built_from_the_same()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, counters: "total=\"1\" executed=\"1\" passed=\"1\" failed=\"0\"");
        _sandbox.Run("bascule");
        _sandbox.Run("test", "A");
        _sandbox.Run("bascule");
        Assert.Equal(2, _sandbox.Builds.Length);

        _sandbox.Write("src/Bascule/Program.cs", "return 4;");
        _sandbox.Run("test", "A");
        _sandbox.Run("bascule");

        Assert.Equal(4, _sandbox.Builds.Length);
        Assert.All(_sandbox.Builds[1..], build => Assert.DoesNotContain("--no-incremental", build));
    }

    [Fact]
    public void Shows_why_a_build_failed_and_does_not_run_the_old_program()
    {
        _sandbox.Run("bascule");
        _sandbox.Write("src/Bascule/Program.cs", "return 0");
        _sandbox.BreakTheBuild();

        Ran broken = _sandbox.Run("bascule", "status");

        Assert.Equal(70, broken.Exit);
        Assert.Contains("error CS1002", broken.Errors);
        Assert.Equal("", broken.Output);
    }

    [Fact]
    public void Builds_again_after_a_failed_build_even_when_the_edit_is_taken_back()
    {
        _sandbox.Run("bascule");
        _sandbox.Write("src/Bascule/Program.cs", "return 0");
        _sandbox.BreakTheBuild();
        _sandbox.Run("bascule");
        _sandbox.MendTheBuild();
        _sandbox.Write("src/Bascule/Program.cs", "return 0;");

        Ran mended = _sandbox.Run("bascule");

        Assert.Equal(0, mended.Exit);
        Assert.Equal(3, _sandbox.Builds.Length);
    }

    [Fact]
    public void Runs_in_the_caller_s_folder_through_a_symbolic_link()
    {
        string link = _sandbox.Beside("link");
        File.CreateSymbolicLink(link, Path.Combine(_sandbox.Root, "bascule"));

        Ran ran = _sandbox.RunIn("/", link, "check", "web.yaml");

        Assert.Equal("in /: check web.yaml\n", ran.Output);
    }

    [Fact]
    public async Task Two_launches_at_once_build_once()
    {
        string gate = _sandbox.Beside("gate");
        Process.Start("mkfifo", [gate]).WaitForExit();
        string launcher = Path.Combine(_sandbox.Root, "bascule");
        using Process first = _sandbox.Start("/", launcher);
        Assert.Contains("building", await first.StandardError.ReadLineAsync());
        using Process second = _sandbox.Start("/", launcher);
        Assert.Contains("waiting for another build", await second.StandardError.ReadLineAsync());

        await File.WriteAllTextAsync(gate, "go\n");
        await first.WaitForExitAsync();
        await second.WaitForExitAsync();

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Single(_sandbox.Builds);
    }
}
