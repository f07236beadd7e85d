using System.Collections.Concurrent;
using Bascule.Core.Model;
using Bascule.Vrrp.Track;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Vrrp.Tests.Track;

public sealed class TrackWatchTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly BlockingCollection<(Tracked What, TrackedState State)> _told = [];
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private TrackWatch? _watch;

    [Fact]
    public void Tells_the_first_look_and_then_only_what_changed()
    {
        TrackedFile file = new(_file, Weight: 1);
        Start(file);

        Assert.Equal((file, new(true, 0, "it is not there")), Next());
        File.WriteAllText(_file, "3");
        Assert.Equal(3, Said("it says 3").Value);
        Assert.Empty(_told);
    }

    [Fact]
    public void A_script_that_hangs_delays_nobody_else()
    {
        TrackedScript hangs = Script("/bin/sleep", "1000");
        TrackedInterface link = new("lo", Weight: 0);
        Start(hangs, link);

        Assert.Equal((link, new(true, 0, "it is up")), Next());
    }

    [Fact]
    public void Equal_things_are_looked_at_once()
    {
        Start(new TrackedFile(_file, Weight: 1), new TrackedFile(_file, Weight: 1), new TrackedInterface("lo", Weight: 0));

        Assert.Equal(2, new[] { Next().What, Next().What }.Distinct().Count());
        Assert.False(_told.TryTake(out _));
    }

    [Fact]
    public void A_script_is_run_again_and_again()
    {
        File.WriteAllText(_file, "");
        TrackedScript script = Script("/bin/sh", "-c", $"test ! -s {_file}");
        Start(script);

        Assert.Equal((script, new(true, 0, "it succeeds")), Next());
        File.WriteAllText(_file, "x");
        Assert.Equal((script, new(false, 0, "it ended with 1")), Next());
    }

    public void Dispose()
    {
        _watch?.DisposeAsync().AsTask().Wait();
        File.Delete(_file);
        _told.Dispose();
    }

    private static TrackedScript Script(params string[] command) =>
        new("test", [.. command], TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(30), Rise: 1, Fall: 1, Weight: 0);

    private void Start(params Tracked[] tracked)
    {
        _watch = new(tracked, () => throw new InvalidOperationException("nothing here asks for real servers"), (what, state) => _told.Add((what, state)), TimeProvider.System, NullLogger.Instance);
        _watch.Start();
    }

    private (Tracked What, TrackedState State) Next() => _told.TryTake(out (Tracked, TrackedState) told, Patience) ? told : throw new TimeoutException("nothing was told");

    // A look may fall between the file's being made and written.
    private TrackedState Said(string why)
    {
        while (true)
        {
            if (Next().State is { } state && state.Why == why)
                return state;
        }
    }
}
