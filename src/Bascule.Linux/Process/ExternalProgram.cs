using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using ChildProcess = System.Diagnostics.Process;

namespace Bascule.Linux.Process;

/// <summary>How a program ended.</summary>
public enum ProgramEnd
{
    /// <summary>By itself, with an exit code.</summary>
    Exited,

    /// <summary>It ran longer than it may, and was killed with all it had started.</summary>
    TimedOut,

    /// <summary>It could not be started.</summary>
    NotStarted,
}

/// <summary>What became of a program.</summary>
/// <param name="End">How it ended.</param>
/// <param name="ExitCode">128 and the signal's number where a signal ended it; -1 unless <see cref="ProgramEnd.Exited"/>.</param>
/// <param name="Output">The first 4 KiB of what it wrote to stdout and then to stderr, without white space around it; or why it could not be started.</param>
public sealed record ProgramResult(ProgramEnd End, int ExitCode, string Output)
{
    /// <summary>Whether it ended by itself with 0.</summary>
    public bool IsSuccess => End == ProgramEnd.Exited && ExitCode == 0;
}

/// <summary>
/// Runs a program of the operator's to its end: in a session and process group of its own, with nothing on its stdin. Whatever it has started and
/// left in its group ends with it, so that programs run every second cannot pile up.
/// </summary>
/// <remarks>
/// It finds PATH, LANG and HOME around it, the same however the daemon was started, and what it is given; nothing of the daemon's own environment, where secrets may be.
/// </remarks>
public static partial class ExternalProgram
{
    private const int LongestOutput = 4096; // bytes of each stream
    private const int KillSignal = 9;
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>A process that left the group may hold the pipes open; nobody waits for it longer than this.</summary>
    private static readonly TimeSpan OutputPatience = TimeSpan.FromSeconds(1);

    /// <summary>Runs it as the user who runs this process.</summary>
    /// <inheritdoc cref="RunAsync(IReadOnlyList{string}, IReadOnlyDictionary{string, string}, string?, TimeSpan, TimeProvider, CancellationToken)"/>
    public static Task<ProgramResult> RunAsync(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, TimeSpan timeout, TimeProvider time, CancellationToken cancellation) =>
        RunAsync(command, environment, user: null, timeout, time, cancellation);

    /// <summary>Runs it.</summary>
    /// <param name="command">An absolute path, and the arguments.</param>
    /// <param name="environment">Added to PATH, LANG and HOME.</param>
    /// <param name="user">As whom, by name or number, with that user's groups; null: who runs this process.</param>
    /// <param name="timeout">After which it is killed.</param>
    /// <param name="time">The clock of <paramref name="timeout"/>.</param>
    /// <param name="cancellation">Kills it too.</param>
    /// <exception cref="OperationCanceledException">Cancelled; it is dead.</exception>
    public static async Task<ProgramResult> RunAsync(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string? user, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        if (!File.Exists(command[0]))
            return NotStarted($"there is no program {command[0]}");
        using ChildProcess child = new();
        try
        {
            UserAccount? account = user is null ? UserAccount.OfThisProcess : UserAccount.Find(user);
            if (user is not null && account is null)
                return NotStarted($"there is no user {user}");
            child.StartInfo = InfoFor(command, environment, account);
            child.Start();
        }
        catch (Win32Exception e) when (user is not null && e.NativeErrorCode == (int)Errno.NotPermitted)
        {
            return NotStarted($"it may not be run as {user}: only root may run programs as somebody else");
        }
        catch (Exception e) when (e is Win32Exception or KernelException)
        {
            return NotStarted(e.Message);
        }

        child.StandardInput.Close();
        Task<string> written = ReadAsync(child.StandardOutput.BaseStream), errors = ReadAsync(child.StandardError.BaseStream);
        bool inTime = await EndsWithinAsync(child, timeout, time, cancellation);
        KillGroup(child.Id);
        string output = $"{await FinishAsync(written, time)}\n{await FinishAsync(errors, time)}".Trim();
        cancellation.ThrowIfCancellationRequested();
        return inTime ? new(ProgramEnd.Exited, child.ExitCode, output) : new(ProgramEnd.TimedOut, -1, output);
    }

    // setsid makes the group and becomes the program: the process id is the same, and that of the group.
    private static ProcessStartInfo InfoFor(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, UserAccount? account)
    {
        ProcessStartInfo info = new("setsid", command) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (account is { IsOfThisProcess: false })
            info.UserName = account.Name; // and so the groups
        info.Environment.Clear();
        info.Environment["PATH"] = SearchPath;
        info.Environment["LANG"] = "C.UTF-8";
        info.Environment["HOME"] = account?.Home ?? "/";
        foreach ((string name, string value) in environment)
            info.Environment[name] = value;
        return info;
    }

    private static ProgramResult NotStarted(string why) => new(ProgramEnd.NotStarted, -1, why);

    private static async Task<bool> EndsWithinAsync(ChildProcess child, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        using CancellationTokenSource timer = new(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellation);
        try
        {
            await child.WaitForExitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            KillGroup(child.Id);
            child.Kill(); // it may not have made its group yet
            await child.WaitForExitAsync(CancellationToken.None);
            return false;
        }
    }

    // Read to the end, lest it blocks on a full pipe; only the beginning is kept.
    private static async Task<string> ReadAsync(Stream stream)
    {
        byte[] kept = new byte[LongestOutput], buffer = new byte[LongestOutput];
        int length = 0;
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer)) > 0; length += int.Min(read, kept.Length - length))
                buffer.AsSpan(0, int.Min(read, kept.Length - length)).CopyTo(kept.AsSpan(length));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Whoever held it open is not waited for any more.
        }

        return Encoding.UTF8.GetString(kept, 0, length);
    }

    private static async Task<string> FinishAsync(Task<string> reading, TimeProvider time)
    {
        await Task.WhenAny(reading, Task.Delay(OutputPatience, time));
        return reading.IsCompletedSuccessfully ? await reading : "";
    }

    private static void KillGroup(int group) => _ = Kill(-group, KillSignal); // ESRCH: nobody is left in it, as it should be

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
