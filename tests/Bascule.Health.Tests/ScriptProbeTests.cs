using System.Net;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class ScriptProbeTests : IDisposable
{
    private static readonly IPEndPoint RealServer = IPEndPoint.Parse("10.0.0.11:8080");

    private readonly WorkFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Exit_code_0_is_up_and_what_it_wrote_is_kept()
    {
        Verdict verdict = await RunAsync("echo fine; echo but slow >&2");

        Assert.Equal((true, "exit code 0", "fine\n\nbut slow"), (verdict.Passed, verdict.Why, verdict.Output));
        Assert.Null(verdict.Weight);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(255, false)]
    [InlineData(1, true)]
    [InlineData(128, true)]
    [InlineData(255, true)]
    public async Task Other_codes_are_down(int code, bool dynamicWeight)
    {
        Verdict verdict = await RunAsync($"exit {code}", dynamicWeight);

        Assert.Equal((false, $"exit code {code}"), (verdict.Passed, verdict.Why));
        Assert.Null(verdict.Output);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(10, 8)]
    [InlineData(125, 123)]
    public async Task With_a_dynamic_weight_codes_from_2_to_125_are_up_with_2_less(int code, int weight)
    {
        Verdict verdict = await RunAsync($"exit {code}", dynamicWeight: true);

        Assert.True(verdict.Passed);
        Assert.Equal(new WeightAdvice(weight, IsPercent: false), verdict.Weight);
    }

    [Theory]
    [InlineData("load: 0.75", 0.75)]
    [InlineData(" 10:02:11 up 12:34,  1 user,  load average: 0.50, 0.58, 0.59", 0.5)]
    [InlineData("10:02  up 3 days, 2 users, load averages: 2.10 1.90 1.80", 2.1)]
    [InlineData("fine\nLOAD: 12\n", 12d)]
    [InlineData("load: 0,75", null)] // of which country?
    [InlineData("load: 1.2.3", null)]
    [InlineData("load: -1", null)]
    [InlineData("load: 1e9", null)]
    [InlineData("load: 99999999", null)]
    [InlineData("payload: 3", null)]
    [InlineData("fine", null)]
    public async Task With_a_weight_by_load_what_it_writes_says_how_loaded_it_is(string written, double? load)
    {
        Verdict verdict = await Ask.OnceAsync(Check(Script($"cat <<E\n{written}\nE")) with { LoadWeight = true }, RealServer);

        Assert.Equal((true, load, load is null ? "it wrote no load, such as load: 0.75" : null), (verdict.Passed, verdict.Load, verdict.Warning));
    }

    [Fact]
    public async Task A_load_is_not_looked_for_unless_it_is_asked_for_nor_in_what_a_failure_writes()
    {
        Assert.Null((await RunAsync("echo load: 0.75")).Load);

        Verdict failed = await Ask.OnceAsync(Check(Script("echo load: 0.75; exit 1")) with { LoadWeight = true }, RealServer);

        Assert.Equal((false, null, null), (failed.Passed, failed.Load, failed.Warning));
    }

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("SEGV", 139)]
    public async Task Ended_by_a_signal_it_is_down_and_has_no_weight(string signal, int code)
    {
        Verdict verdict = await RunAsync($"kill -{signal} $$", dynamicWeight: true);

        Assert.Equal((false, $"exit code {code}, as when signal {code - 128} ends it"), (verdict.Passed, verdict.Why));
        Assert.Null(verdict.Weight);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_cannot_be_executed_is_the_director_s_own_trouble(bool dynamicWeight)
    {
        string noProgram = _folder.Write("text", "no program");

        string notExecutable = await Ask.WhyAsync(Check(noProgram) with { DynamicWeight = dynamicWeight }, RealServer);
        Verdict notFound = await RunAsync("exec /nowhere/check", dynamicWeight);

        Assert.StartsWith($"not asked: exit code 126: {noProgram}, or a program that it runs, cannot be executed: ", notExecutable, StringComparison.Ordinal);
        Assert.StartsWith("exit code 127: ", notFound.Why, StringComparison.Ordinal);
        Assert.False(notFound.WasAsked);
    }

    [Fact]
    public async Task It_is_told_whom_to_ask()
    {
        Verdict verdict = await RunAsync("echo $1 $2 $BASCULE_ADDRESS $BASCULE_PORT $LEVEL");

        Assert.Equal("10.0.0.11:8080 -p8080 10.0.0.11 8080 deep", verdict.Output);
    }

    [Fact]
    public async Task When_the_time_is_up_it_is_killed_with_all_it_has_started()
    {
        string script = Script("sleep 1000 & echo $! > child.part; mv child.part child; sleep 1000");
        string child = Path.Combine(_folder.Name, "child");
        using CancellationTokenSource time = new();
        Task<string?> asking = Ask.InVainAsync(Check(script), RealServer, time.Token);
        await Eventually.HoldsAsync(() => File.Exists(child));
        string process = (await File.ReadAllTextAsync(child)).Trim();
        Assert.True(IsRunning(process));

        await time.CancelAsync();
        await asking;

        await Eventually.HoldsAsync(() => !IsRunning(process));
    }

    [Fact]
    public async Task A_user_that_is_not_there_is_the_director_s_own_trouble() =>
        Assert.Equal("not asked: there is no user nosuchuser", await Ask.WhyAsync(Check("/usr/bin/id") with { User = "nosuchuser" }, RealServer));

    [Fact]
    public async Task As_somebody_else_the_program_has_their_rights_or_is_not_run()
    {
        Verdict verdict = await Ask.OnceAsync(Check("/usr/bin/id") with { Command = ["/usr/bin/id", "-un"], User = "nobody" }, RealServer);

        Assert.Equal(
            Environment.IsPrivilegedProcess ? (true, "exit code 0", "nobody") : (false, "it may not be run as nobody: only root may run programs as somebody else", null),
            (verdict.Passed, verdict.Why, verdict.Output));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_the_director_s_own_trouble() =>
        Assert.Equal("not asked: there is no program /nowhere/check", await Ask.WhyAsync(Check("/nowhere/check"), RealServer));

    private static bool IsRunning(string process) => File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    private Task<Verdict> RunAsync(string text, bool dynamicWeight = false) => Ask.OnceAsync(Check(Script(text)) with { DynamicWeight = dynamicWeight }, RealServer);

    private string Script(string text)
    {
        string path = _folder.Write("check.sh", $"#!/bin/sh\ncd {_folder.Name}\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static ScriptCheck Check(string program) =>
        new() { Command = [program, "{address}:{port}", "-p{port}"], Environment = [new("LEVEL", "deep")], DynamicWeight = false };
}
