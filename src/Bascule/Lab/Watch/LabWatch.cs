using System.Diagnostics;
using System.Globalization;

namespace Bascule.Lab.Watch;

/// <summary>A watch on an address, from a machine of the lab: <see cref="WatchServer"/>, and what it has seen so far.</summary>
internal sealed class LabWatch : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Sighting> _seen = [];
    private readonly TimeProvider _time;
    private readonly Process _process;
    private readonly Task _reading;

    private LabWatch(Process process, TimeProvider time)
    {
        _process = process;
        _time = time;
        _reading = ReadAsync();
    }

    /// <summary>What it has seen so far.</summary>
    public Timeline Seen
    {
        get
        {
            lock (_lock)
                return new([.. _seen], _time);
        }
    }

    /// <summary>Starts it, and waits until it looks.</summary>
    /// <param name="port">Of the service that is watched as well; 0: none.</param>
    /// <param name="milliseconds">Between two questions; 0: it asks nothing, and only looks.</param>
    /// <exception cref="LabException">It did not start.</exception>
    public static async Task<LabWatch> StartAsync(LabMachine machine, string address, TimeProvider time, int port = 0, int milliseconds = 5)
    {
        // With a real-time priority: the judge must be on time, whatever else runs here.
        Process process = machine.StartTalking("chrt", "-r", "30", LabDirector.Program, WatchServer.Verb, "eth0", address, Text(port), Text(milliseconds));
        if (await process.StandardOutput.ReadLineAsync() != WatchServer.Ready)
            throw new LabException($"the watch on {address} did not start: {await process.StandardError.ReadToEndAsync()}");
        return new(process, time);
    }

    /// <summary>Waits until it has seen this, from now on or since a time.</summary>
    /// <exception cref="LabException">It has not within 20 seconds.</exception>
    public async Task<Sighting> SeesAsync(Func<Sighting, bool> what, long since)
    {
        for (long began = _time.GetTimestamp(); ;)
        {
            if (Seen.After(since).All.FirstOrDefault(what) is { } seen)
                return seen;
            if (_time.GetElapsedTime(began) > TimeSpan.FromSeconds(20) || _process.HasExited)
                throw new LabException($"what should have been seen was not; seen was:\n{Seen.After(since)}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), _time);
        }
    }

    /// <summary>Ends it.</summary>
    /// <returns>All it saw.</returns>
    public async Task<Timeline> StopAsync()
    {
        if (!_process.HasExited)
            _process.StandardInput.Close();
        await _reading;
        await _process.WaitForExitAsync();
        return Seen;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            Sighting seen = Sighting.Parse(line);
            lock (_lock)
                _seen.Add(seen);
        }
    }
}
