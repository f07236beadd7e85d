namespace Bascule.Tidy.Tests.Scripts;

/// <summary>./test: the last line tells the truth, also about suites that said nothing.</summary>
public sealed class TestScriptTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Sums_over_all_suites()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 5, executed: 4, passed: 4));
        _sandbox.Suite("Bascule.B.Tests", exit: 0, Counters(total: 30, executed: 30, passed: 30));

        Ran ran = _sandbox.Run("test");

        Assert.Equal((0, "34 passed, 0 failed, 1 skipped"), (ran.Exit, LastLine(ran)));
    }

    [Fact]
    public void Sums_over_the_suite_that_runs_beside_the_others_as_well()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 5, executed: 4, passed: 4));
        _sandbox.Suite("Bascule.Lab.Tests", exit: 1, Counters(total: 30, executed: 30, passed: 28));

        Ran ran = _sandbox.Run("test");

        Assert.Equal((1, "32 passed, 2 failed, 1 skipped"), (ran.Exit, LastLine(ran)));
    }

    [Fact]
    public void Counts_what_was_never_run_as_failed()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 5, executed: 5, passed: 5));
        _sandbox.Suite("Bascule.B.Tests", exit: 0, Counters(total: 7, executed: 7, passed: 7));
        _sandbox.KillWhoRuns("Bascule.A.Tests");

        Assert.Equal("0 passed, 1 failed, 0 skipped", LastLine(_sandbox.Run("test")));
    }

    [Fact]
    public void Shows_what_a_failed_suite_printed_and_runs_the_rest()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 1, Counters(total: 5, executed: 5, passed: 3));
        _sandbox.Suite("Bascule.B.Tests", exit: 0, Counters(total: 1, executed: 1, passed: 1));

        Ran ran = _sandbox.Run("test");

        Assert.Equal((1, "4 passed, 2 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
        Assert.Contains("what Bascule.A.Tests printed", ran.Output);
        Assert.DoesNotContain("what Bascule.B.Tests printed", ran.Output);
    }

    [Fact]
    public void Counts_a_suite_that_crashed_as_failed()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 134, counters: null);

        Ran ran = _sandbox.Run("test");

        Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
        Assert.Contains("ended with exit code 134", ran.Output);
    }

    [Fact]
    public void Counts_a_suite_that_crashed_after_its_report_as_failed()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 1, Counters(total: 5, executed: 5, passed: 5));

        Assert.Equal("5 passed, 1 failed, 0 skipped", LastLine(_sandbox.Run("test")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("""total="0" executed="0" passed="0" """)]
    public void Counts_an_empty_suite_as_failed(string? counters)
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, counters);

        Ran ran = _sandbox.Run("test");

        Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
        Assert.Contains("Bascule.A.Tests has no tests", ran.Output);
    }

    [Fact]
    public void Counts_a_suite_that_the_solution_forgot_as_failed()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 5, executed: 5, passed: 5));
        _sandbox.Write("Bascule.slnx", "<Solution />");

        Ran ran = _sandbox.Run("test");

        Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
        Assert.Contains("is not in Bascule.slnx", ran.Output);
    }

    [Fact]
    public void Adds_what_failed_before_it_was_called()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 1, executed: 1, passed: 1));

        Ran ran = _sandbox.RunIn("/", "/usr/bin/env", "FAILED_BEFORE=1", Path.Combine(_sandbox.Root, "test"));

        Assert.Equal((1, "1 passed, 1 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
    }

    [Fact]
    public void Fails_when_the_build_does()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 1, executed: 1, passed: 1));
        _sandbox.BreakTheBuild();

        Ran ran = _sandbox.Run("test");

        Assert.Equal((70, ""), (ran.Exit, ran.Output));
        Assert.Contains("error CS1002", ran.Errors);
    }

    [Fact]
    public void Runs_only_the_suite_that_was_named()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 5, executed: 5, passed: 5));
        _sandbox.Suite("Bascule.B.Tests", exit: 0, Counters(total: 1, executed: 1, passed: 1));

        Ran ran = _sandbox.Run("test", "B");

        Assert.Equal("1 passed, 0 failed, 0 skipped", LastLine(ran));
        Assert.Contains("tests/Bascule.B.Tests", Assert.Single(_sandbox.Builds));
    }

    [Fact]
    public void Fails_when_no_test_has_the_name_that_was_asked_for()
    {
        _sandbox.Suite("Bascule.A.Tests", exit: 0, Counters(total: 0, executed: 0, passed: 0));

        Ran ran = _sandbox.Run("test", "no_such_claim");

        Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (ran.Exit, LastLine(ran)));
    }

    private static string Counters(int total, int executed, int passed) =>
        $"total=\"{total}\" executed=\"{executed}\" passed=\"{passed}\" failed=\"{executed - passed}\" notExecuted=\"0\"";

    private static string LastLine(Ran ran) => ran.Output.TrimEnd('\n').Split('\n')[^1];
}
