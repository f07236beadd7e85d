using System.Globalization;
using Bascule.Linux.Process;
using Bascule.Testing;

namespace Bascule.Linux.Tests.Process;

public sealed class ExternalProgramTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private static readonly Dictionary<string, string> Environment = new() { ["COLOUR"] = "blue" };

    [Fact]
    public async Task Tells_the_exit_code_and_what_was_written()
    {
        ProgramResult result = await RunAsync("echo to stdout; echo to stderr >&2; exit 3");

        Assert.Equal(new(ProgramEnd.Exited, 3, "to stdout\n\nto stderr"), result);
        Assert.False(result.IsSuccess);
    }

    [Fact]
    public async Task Hands_over_arguments_as_they_are_and_the_environment()
    {
        ProgramResult result = await ExternalProgram.RunAsync(["/bin/sh", "-c", "echo \"$1|$COLOUR\"", "sh", "a 'b' $c"], Environment, Long, TimeProvider.System, default);

        Assert.Equal("a 'b' $c|blue", result.Output);
        Assert.True(result.IsSuccess);
    }

    [Fact]
    public async Task It_finds_nothing_of_our_own_environment()
    {
        ProgramResult result = await ExternalProgram.RunAsync(["/usr/bin/env"], Environment, Long, TimeProvider.System, default);

        Assert.Equal(
            ["COLOUR=blue", $"HOME={UserAccount.OfThisProcess?.Home ?? "/"}", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            result.Output.Split('\n').Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("65534")] // that same user, on every Debian
    public async Task Root_may_run_it_as_somebody_else_with_their_groups_and_home(string user)
    {
        ProgramResult result = await ExternalProgram.RunAsync(["/bin/sh", "-c", "echo $(id -un) $(id -G) $(id -g) $HOME; grep -E '^(Cap(Eff|Prm))' /proc/self/status"], Environment, user, Long, TimeProvider.System, default);

        Assert.Equal(
            System.Environment.IsPrivilegedProcess
                ? new(ProgramEnd.Exited, 0, "nobody 65534 65534 /nonexistent\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000")
                : new(ProgramEnd.NotStarted, -1, $"it may not be run as {user}: only root may run programs as somebody else"),
            result);
    }

    [Fact]
    public async Task Who_runs_it_anyway_is_nobody_else()
    {
        string own = UserAccount.OfThisProcess!.Name;

        ProgramResult result = await ExternalProgram.RunAsync(["/usr/bin/id", "-un"], Environment, own, Long, TimeProvider.System, default);

        Assert.Equal(new(ProgramEnd.Exited, 0, own), result);
    }

    [Theory]
    [InlineData("nosuchuser")]
    [InlineData("4000000000")]
    public async Task Says_that_a_user_is_not_there(string user)
    {
        ProgramResult result = await ExternalProgram.RunAsync(["/usr/bin/id"], Environment, user, Long, TimeProvider.System, default);

        Assert.Equal(new(ProgramEnd.NotStarted, -1, $"there is no user {user}"), result);
    }

    [Fact]
    public async Task Kills_what_runs_too_long_with_all_it_started()
    {
        ProgramResult result = await RunAsync("sleep 1000 & echo $!; wait", TimeSpan.FromMilliseconds(300));

        Assert.Equal(ProgramEnd.TimedOut, result.End);
        await Eventually.HoldsAsync(() => !IsAlive(result.Output), "what the script started is killed with it");
    }

    [Fact]
    public async Task What_a_program_leaves_behind_ends_with_it()
    {
        ProgramResult result = await RunAsync("sleep 1000 > /dev/null 2>&1 & echo $!");

        Assert.True(result.IsSuccess);
        await Eventually.HoldsAsync(() => !IsAlive(result.Output), "what the script left behind is killed");
    }

    [Fact]
    public async Task Keeps_the_first_4_KiB_of_an_endless_output_and_does_not_block_who_writes_it()
    {
        ProgramResult result = await RunAsync("head -c 10000000 /dev/zero | tr '\\0' x");

        Assert.True(result.IsSuccess);
        Assert.Equal(new string('x', 4096), result.Output);
    }

    [Fact]
    public async Task Says_that_a_program_is_not_there()
    {
        ProgramResult result = await ExternalProgram.RunAsync(["/no/such/program"], Environment, Long, TimeProvider.System, default);

        Assert.Equal(new(ProgramEnd.NotStarted, -1, "there is no program /no/such/program"), result);
    }

    [Fact]
    public async Task A_program_ended_by_a_signal_has_128_and_its_number() =>
        Assert.Equal(128 + 15, (await RunAsync("kill -TERM $$")).ExitCode);

    [Fact]
    public async Task Ends_the_program_when_it_is_cancelled()
    {
        using CancellationTokenSource cancellation = new();
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Task<ProgramResult> running = ExternalProgram.RunAsync(["/bin/sh", "-c", $"echo $$ > {file}.new; mv {file}.new {file}; sleep 1000"], Environment, Long, TimeProvider.System, cancellation.Token);
        while (!File.Exists(file))
            await Task.Yield();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        string processId = await File.ReadAllTextAsync(file);
        await Eventually.HoldsAsync(() => !IsAlive(processId), "the program is killed");
        File.Delete(file);
    }

    private static Task<ProgramResult> RunAsync(string script, TimeSpan? timeout = null) =>
        ExternalProgram.RunAsync(["/bin/sh", "-c", script], Environment, timeout ?? Long, TimeProvider.System, default);

    // One that was killed and that nobody has asked about yet is a zombie: dead, but listed.
    private static bool IsAlive(string processId)
    {
        string stat = $"/proc/{int.Parse(processId.Trim(), CultureInfo.InvariantCulture)}/stat";
        try
        {
            string text = File.ReadAllText(stat);
            return text[text.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
