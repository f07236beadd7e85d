using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>
/// Log lines as text, one line each. Under systemd they begin with the priority in angle brackets, which the journal
/// understands (sd-daemon(3)) and dates itself; elsewhere with the local time and the level.
/// </summary>
internal sealed class LineLog(Action<string> write, TimeProvider time, LogLevel least) : ILoggerFactory
{
    private static readonly bool ToJournal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    public ILogger CreateLogger(string categoryName) =>
        // Kestrel's own sentences are about its insides; only what it cannot cope with matters here.
        new Category(this, categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? LogLevel.Error : least);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private void Write(LogLevel level, string sentence, Exception? exception)
    {
        string text = exception is null ? sentence : $"{sentence}: {exception}";
        string line = text.ReplaceLineEndings(" | ");
        write(ToJournal ? $"<{Priority(level)}>{line}" : $"{time.GetLocalNow():HH:mm:ss.fff} {Name(level)} {line}");
    }

    private static int Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        LogLevel.Debug or LogLevel.Trace or LogLevel.None => 7,
    };

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Critical => "CRIT ",
        LogLevel.Error => "ERROR",
        LogLevel.Warning => "WARN ",
        LogLevel.Information => "info ",
        LogLevel.Debug or LogLevel.Trace or LogLevel.None => "debug",
    };

    private sealed class Category(LineLog log, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, formatter(state, exception), exception);
        }
    }
}
