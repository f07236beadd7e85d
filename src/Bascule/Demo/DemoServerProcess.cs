using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Bascule.Demo;

/// <summary>One real server of the demo, seen from outside: a process that may be killed at any time, and is then started again.</summary>
internal sealed class DemoServerProcess : IDisposable
{
    /// <summary>How long a killed server stays away: long enough to see the others take over.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time;
    private Process _process;
    private DateTimeOffset? _foundDeadAt;

    private DemoServerProcess(string name, Process process, int port, TimeProvider time)
    {
        Name = name;
        _process = process;
        Address = new(IPAddress.Loopback, port);
        _time = time;
    }

    /// <summary>The first line of what it answers.</summary>
    public string Name { get; }

    /// <summary>Where it listens; the same after it was started again.</summary>
    public IPEndPoint Address { get; }

    /// <summary>For <c>kill</c>; null while it is dead.</summary>
    public int? ProcessId => _process is { HasExited: false } alive ? alive.Id : null;

    /// <exception cref="InvalidOperationException">It did not start; the message says why.</exception>
    public static async Task<DemoServerProcess> StartAsync(string name, TimeProvider time)
    {
        (Process process, int port) = await LaunchAsync(name, 0, time);
        return new(name, process, port, time);
    }

    /// <summary>Starts it again when it has been dead for <see cref="Rest"/>; otherwise does nothing.</summary>
    public async Task ReviveAsync()
    {
        if (!_process.HasExited)
            return;
        _foundDeadAt ??= _time.GetUtcNow();
        if (_time.GetUtcNow() - _foundDeadAt < Rest)
            return;
        _foundDeadAt = null; // if it does not start, it rests once more
        try
        {
            (_process, _) = await LaunchAsync(Name, Address.Port, _time);
        }
        catch (InvalidOperationException)
        {
            // Its port is taken meanwhile, or the machine is too busy. The table shows it as down, with the reason.
        }
    }

    /// <summary>Ends it: it leaves by itself when its stdin closes, and is killed if it does not.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(2)))
                _process.Kill();
        }

        _process.Dispose();
    }

    private static async Task<(Process Process, int Port)> LaunchAsync(string name, int port, TimeProvider time)
    {
        Process process = Launch(name, port);
        try
        {
            string? line = await process.StandardOutput.ReadLineAsync().WaitAsync(StartTimeout, time);
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int actual))
                return (process, actual);
            throw new InvalidOperationException($"the server {name} did not start: {await process.StandardError.ReadToEndAsync()}");
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            process.Kill();
            process.Dispose();
            throw e as InvalidOperationException ?? new($"the server {name} did not start within {StartTimeout.TotalSeconds} s");
        }
    }

    private static Process Launch(string name, int port)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Started as `dotnet bascule.dll`, the program is dotnet's first argument.
        if (Path.GetFileName(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(DemoServerProcess).Assembly.Location);
        start.ArgumentList.Add(DemoServer.Verb);
        start.ArgumentList.Add(name);
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"the server {name} did not start: {e.Message}", e);
        }
    }
}
