using System.Threading.Channels;

namespace Bascule.Daemon;

/// <summary>
/// Writes lines from one thread of its own, so that no worker ever waits for a terminal or a journal that does not read. When
/// 1024 lines wait, the next are dropped, and counted in a line of their own.
/// </summary>
internal sealed class BackgroundWriter : IAsyncDisposable
{
    private const int Capacity = 1024;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(Capacity);
    private readonly Task _writing;
    private int _dropped;

    public BackgroundWriter(TextWriter to) => _writing = Task.Run(() => WriteAsync(to));

    public void Write(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Returns when everything is written.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync(TextWriter to)
    {
        await foreach (string line in _lines.Reader.ReadAllAsync())
        {
            to.WriteLine(line);
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and int dropped)
                to.WriteLine($"({dropped} log lines were dropped here: what reads them is too slow)");
        }
    }
}
