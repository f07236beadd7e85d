using System.Diagnostics;
using System.Globalization;

namespace Bascule.Lab;

/// <summary>One machine of the lab: a network namespace, and its name.</summary>
/// <param name="Lab">The lab's name: <c>bascule-lab</c>, or another where several run side by side.</param>
/// <param name="Role">What it plays: <c>client</c>, <c>director</c>, <c>alpha</c> …</param>
internal sealed record LabMachine(string Lab, string Role)
{
    /// <summary>The namespace's name, as <c>ip netns list</c> shows it.</summary>
    public string Namespace => $"{Lab}-{Role}";

    /// <summary>Runs a program in this machine to its end.</summary>
    /// <returns>What it wrote to stdout.</returns>
    /// <exception cref="LabException">It did not end with 0.</exception>
    public Task<string> RunAsync(string program, params string[] arguments) => Tool.RunAsync("nsenter", [Enter, program, .. arguments]);

    /// <summary>Runs a shell script in this machine; the first command that fails ends it.</summary>
    /// <exception cref="LabException">A command failed.</exception>
    public Task<string> RunScriptAsync(string script) => Tool.RunAsync("nsenter", [Enter, "sh", "-e"], input: script);

    /// <summary>The same as a command line for people, who may not be root.</summary>
    public string Line(string command) => $"sudo nsenter {Enter} {command}";

    /// <summary>
    /// Starts a program that outlives us, in a session of its own so that Ctrl-C in our terminal does not reach it. Its process id is
    /// the program's: sh, setsid and nsenter each become the next.
    /// </summary>
    /// <param name="log">Where its output goes.</param>
    public Process Start(string log, string program, params string[] arguments) =>
        Tool.Start("sh", ["-c", "exec setsid \"$@\" >> \"$0\" 2>&1 < /dev/null", log, "nsenter", Enter, program, .. arguments]);

    /// <summary>Starts a program whose input and output are ours.</summary>
    public Process StartTalking(string program, params string[] arguments) =>
        Tool.Start("nsenter", [Enter, program, .. arguments], talking: true);

    /// <summary>Kills the programs in it whose command line contains these words, as a crash would; waits until they are gone.</summary>
    public async Task KillAsync(string words)
    {
        // Again until none is left: one may have started another meanwhile, and dying takes a moment.
        while (await FindAsync(words) is { Length: > 0 } found)
            found.ToList().ForEach(Kill);
    }

    /// <summary>Kills whatever runs in it.</summary>
    public Task KillAllAsync() => KillAsync("");

    private async Task<int[]> FindAsync(string words) =>
        [.. (await Tool.RunAsync("ip", ["netns", "pids", Namespace])).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(id => CommandLine(id).Contains(words, StringComparison.Ordinal))];

    private static string CommandLine(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return ""; // it ended by itself meanwhile
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It ended by itself meanwhile.
        }
    }

    // Not `ip netns exec`: it mounts another /sys, and the BPF file system would be out of sight.
    private string Enter => $"--net=/run/netns/{Namespace}";
}
