using Bascule.Commands;
using Bascule.Core.Config;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>The life of <c>bascule run</c>: check, start, serve until told to stop, drain.</summary>
internal static class DaemonProcess
{
    /// <param name="stateFile">In place of what the file says; null: as it says.</param>
    public static async Task<int> RunAsync(string file, string? stateFile)
    {
        CheckedConfiguration read = ConfigurationFile.LoadToRun(file, out string? text);
        if (read.Meant is not { } configuration)
        {
            CheckCommand.Complain(file, read);
            return ExitCode.Failed;
        }

        TimeProvider time = TimeProvider.System;
        await using BackgroundWriter stderr = new(Console.Error);
        using LineLog loggers = new(stderr.Write, time, LogLevel.Information);
        ILogger log = loggers.CreateLogger("Bascule");
        foreach (Problem warning in read.Warnings)
            Log.ConfigurationWarning(log, warning.FormatWarning(file));
        TaskCompletionSource<Director> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // Before the start, which may take a second: SIGHUP must not end a director that is about to serve.
        using Signals signals = new(
            hangUp: () => _ = ReloadAsync(ready.Task, time, log),
            endNow: () => DeleteSocket(ready.Task, configuration.AdminSocket));
        if (await Director.StartAsync(file, text!, configuration, time, loggers, stderr.Write, stateFile) is not { } director)
            return ExitCode.Failed;

        Log.Ready(log, Environment.ProcessId, director.Current.Workers, configuration.AdminSocket);
        ServiceManager.Ready();
        ready.SetResult(director);

        await Task.Delay(Timeout.InfiniteTimeSpan, time, signals.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ServiceManager.Stopping();
        await director.StopAsync();
        return ExitCode.Ok;
    }

    // Until it is ready, the socket may still be another daemon's.
    private static void DeleteSocket(Task ready, string socket)
    {
        if (ready.IsCompleted)
            File.Delete(socket);
    }

    private static async Task ReloadAsync(Task<Director> ready, TimeProvider time, ILogger log)
    {
        Director director = await ready;
        ServiceManager.Reloading(time);
        try
        {
            await director.ReloadAsync();
        }
        catch (Exception e)
        {
            // Nobody awaits this task: what nobody foresaw must at least be read by somebody.
            Log.ReloadBroke(log, e);
        }

        ServiceManager.Ready();
    }
}
