using System.ComponentModel;
using System.Diagnostics;

namespace Bascule.Lab;

/// <summary>Programs of the machine that the lab is built with: ip, nsenter, chrt, ethtool, sh.</summary>
internal static class Tool
{
    private static readonly string[] Needed = ["ip", "nsenter", "setsid", "chrt", "ethtool"];

    /// <summary>Why no lab can be built here, as a sentence; null when it can.</summary>
    public static string? WhyNot()
    {
        if (!Environment.IsPrivilegedProcess)
            return "the lab makes network namespaces and loads BPF programs, which only root may do: run it with sudo";
        string[] missing = [.. Needed.Where(program => !IsThere(program))];
        return missing.Length == 0
            ? null
            : $"the lab needs {string.Join(", ", missing)}: run apt-get install iproute2 util-linux ethtool, or your system's way of it";
    }

    /// <summary>Whether a program is on the path, or where root's programs are.</summary>
    public static bool IsThere(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote to stdout.</returns>
    /// <exception cref="LabException">It could not be started, or did not end with 0; the message holds what it wrote to stderr.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        using Process process = Start(program, arguments, talking: true);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await WriteAsync(process, input);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new LabException($"`{program} {string.Join(' ', arguments)}` ended with {process.ExitCode}: {(await errors).Trim()}");
        return await output;
    }

    /// <summary>Starts a program.</summary>
    /// <param name="talking">Whether its input and output are ours to write and read.</param>
    /// <exception cref="LabException">It could not be started.</exception>
    public static Process Start(string program, IEnumerable<string> arguments, bool talking = false)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = talking,
            RedirectStandardOutput = talking,
            RedirectStandardError = talking,
        };
        start.Environment.Remove("NOTIFY_SOCKET"); // a daemon in the lab is not the service that we may be
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin"; // root by su or sudo may lack these
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new LabException($"{program} could not be started: {e.Message}");
        }
    }

    private static async Task WriteAsync(Process process, string input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it. Its exit code says why.
        }
    }
}
