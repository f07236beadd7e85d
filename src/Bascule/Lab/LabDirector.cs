using System.Diagnostics;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Lab;

/// <summary>A director of the lab: <c>bascule run</c> in its machine, with its file, socket and log in a folder.</summary>
/// <param name="machine">Where it runs.</param>
/// <param name="folder">Which is there.</param>
internal sealed class LabDirector(LabMachine machine, string folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The configuration file.</summary>
    public string File { get; } = Path.Combine(folder, "bascule.yaml");

    /// <summary>Its admin socket.</summary>
    public string Socket { get; } = Path.Combine(folder, "admin.sock");

    /// <summary>What it wrote.</summary>
    public string Log { get; } = Path.Combine(folder, "director.log");

    /// <summary>Its machine.</summary>
    public LabMachine Machine => machine;

    /// <summary>The program this process runs, wherever it was started from.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "bascule");

    /// <summary>Starts it, and waits until it serves.</summary>
    /// <exception cref="LabException">It ended, or is not ready after 30 seconds; the message ends with its log.</exception>
    public Task<Process> StartAsync(TimeProvider time) => StartAsync(time, []);

    /// <summary>The same, by way of another program that runs it.</summary>
    public async Task<Process> StartAsync(TimeProvider time, string[] by)
    {
        long logged = System.IO.File.Exists(Log) ? new FileInfo(Log).Length : 0;
        string[] command = [.. by, Program, "run", "-c", File];
        Process process = Machine.Start(Log, command[0], command[1..]);
        long began = time.GetTimestamp();
        while (!Said(logged).Contains("Ready:", StringComparison.Ordinal))
        {
            if (process.HasExited || time.GetElapsedTime(began) > Patience)
                throw new LabException($"the director did not become ready:\n{Said(logged)}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }

        return process;
    }

    /// <summary>Asks it something: <c>status</c>, <c>list</c>, <c>reload</c> …</summary>
    /// <returns>What the command wrote.</returns>
    /// <exception cref="LabException">The command failed.</exception>
    public Task<string> AskAsync(string verb, params string[] arguments) => Machine.RunAsync(Program, [verb, .. arguments, "-s", Socket]);

    /// <summary>How things stand.</summary>
    /// <exception cref="LabException">It does not answer; why has been said on stderr.</exception>
    public async Task<DirectorStatus> StatusAsync()
    {
        using AdminClient client = new(Socket);
        return await client.StatusAsync(CancellationToken.None) ?? throw new LabException($"the director does not answer on {Socket}");
    }

    /// <summary>Waits until something about it holds.</summary>
    /// <returns>How long that took.</returns>
    /// <exception cref="LabException">It did not hold within 30 seconds.</exception>
    public async Task<TimeSpan> SeesAsync(Func<DirectorStatus, bool> what, TimeProvider time)
    {
        long began = time.GetTimestamp();
        while (!what(await StatusAsync()))
        {
            if (time.GetElapsedTime(began) > Patience)
                throw new LabException($"what should have come true did not:\n{await AskAsync("status")}\n{Said(0)}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }

        return time.GetElapsedTime(began);
    }

    private string Said(long from)
    {
        if (!System.IO.File.Exists(Log))
            return "";
        using FileStream log = new(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = from;
        return new StreamReader(log).ReadToEnd();
    }
}
