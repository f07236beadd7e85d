using Bascule.Commands;
using Bascule.Core.Config;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>The life of <c>bascule run</c>: check, start, serve until told to stop, drain.</summary>
internal static class DaemonProcess
{
    public static async Task<int> RunAsync(string file)
    {
        CheckedConfiguration read = ConfigurationFile.Load(file);
        if (read.Meant is not { } configuration)
        {
            CheckCommand.Complain(file, read);
            return ExitCode.Failed;
        }

        TimeProvider time = TimeProvider.System;
        await using BackgroundWriter stderr = new(Console.Error);
        using LineLog loggers = new(stderr.Write, time, LogLevel.Information);
        if (await Director.StartAsync(file, configuration, time, loggers, stderr.Write) is not { } director)
            return ExitCode.Failed;

        ILogger log = loggers.CreateLogger("Bascule");
        using Signals signals = new(
            hangUp: () => _ = ReloadAsync(director, time, log),
            endNow: () => File.Delete(configuration.AdminSocket));
        Log.Ready(log, Environment.ProcessId, director.Current.Workers, configuration.AdminSocket);
        ServiceManager.Ready();

        await Task.Delay(Timeout.InfiniteTimeSpan, time, signals.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ServiceManager.Stopping();
        await director.StopAsync();
        return ExitCode.Ok;
    }

    private static async Task ReloadAsync(Director director, TimeProvider time, ILogger log)
    {
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
