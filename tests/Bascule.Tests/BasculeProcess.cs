using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bascule.Testing;

namespace Bascule.Tests;

/// <summary>The program as its user starts it: a process with arguments, output and an exit code.</summary>
internal sealed class BasculeProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "bascule");

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _out = new();
    private readonly ConcurrentQueue<string> _error = new();

    private BasculeProcess(Process process) => _process = process;

    /// <summary>What it wrote to stdout so far.</summary>
    public string Out => string.Join('\n', _out);

    /// <summary>What it wrote to stderr so far.</summary>
    public string Error => string.Join('\n', _error);

    public int Id => _process.Id;

    /// <summary>Starts it, and notes what it writes.</summary>
    public static BasculeProcess Start(params string[] arguments) => StartWith([], arguments);

    /// <summary>Starts it with more in its environment.</summary>
    public static BasculeProcess StartWith((string Name, string Value)[] environment, params string[] arguments)
    {
        ProcessStartInfo start = new(Program, arguments);
        start.Environment.Remove("NOTIFY_SOCKET");
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Start(start);
    }

    /// <summary>Starts it as a process that may open only so many files. prlimit(1).</summary>
    public static BasculeProcess StartWithFiles(int most, params string[] arguments) =>
        Start(new ProcessStartInfo("prlimit", [$"--nofile={most}:{most}", Program, .. arguments]));

    /// <summary>Starts it in a terminal of its own, as script(1) makes one.</summary>
    public static BasculeProcess StartInTerminal(string arguments)
    {
        ProcessStartInfo start = new("script", ["-qec", $"stty rows 40 cols 140; '{Program}' {arguments}", "/dev/null"]) { RedirectStandardInput = true };
        start.Environment["TERM"] = "xterm-256color";
        return Start(start);
    }

    private static BasculeProcess Start(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment.Remove("JOURNAL_STREAM");
        BasculeProcess started = new(Process.Start(start)!);
        started._process.OutputDataReceived += (_, line) => Note(started._out, line.Data);
        started._process.ErrorDataReceived += (_, line) => Note(started._error, line.Data);
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments)
    {
        await using BasculeProcess process = Start(arguments);
        int code = await process.EndAsync();
        return (code, process.Out, process.Error);
    }

    /// <summary>Presses keys of its terminal; see <see cref="StartInTerminal"/>.</summary>
    public async Task PressAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the program did not end within {Patience.TotalSeconds} s; it wrote:\n{Out}\n{Error}");
        }

        return _process.ExitCode;
    }

    /// <summary>Waits until it has written this, to either side.</summary>
    public async Task HasWrittenAsync(string text)
    {
        await Eventually.HoldsAsync(() => Has(text) || _process.HasExited, $"the program wrote `{text}`");
        if (!Has(text))
            await EndAsync(); // its last lines may still be on the way
        Assert.True(Has(text), $"the program ended without writing `{text}`; it wrote:\n{Out}\n{Error}");
    }

    /// <summary>Sends it a signal: TERM, INT, HUP, KILL.</summary>
    public void Signal(string name) => Signal(name, _process.Id);

    /// <summary>Sends a process a signal.</summary>
    public static void Signal(string name, int processId)
    {
        using Process kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {processId}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Two neighbouring ports of 127.0.0.1 that nobody listens on.</summary>
    public static int FreePorts()
    {
        while (true)
        {
            using Socket first = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            first.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            int port = ((IPEndPoint)first.LocalEndPoint!).Port;
            using Socket second = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                second.Bind(new IPEndPoint(IPAddress.Loopback, port + 1));
                return port;
            }
            catch (Exception e) when (e is SocketException or ArgumentOutOfRangeException)
            {
                // The neighbour is taken: look elsewhere.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private bool Has(string text) => _out.Concat(_error).Any(line => line.Contains(text, StringComparison.Ordinal));

    private static void Note(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
            lines.Enqueue(line);
    }
}
