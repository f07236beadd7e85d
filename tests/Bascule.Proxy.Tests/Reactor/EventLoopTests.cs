using System.Net;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tests.Reactor;

public sealed class EventLoopTests : IDisposable
{
    private readonly EventLoop _loop = new(TimeProvider.System);
    private readonly TcpListenSocket _listener = TcpListenSocket.Open(new(IPAddress.Loopback, 0), 16, shared: false, anywhere: false, out _)!;
    private readonly List<TcpSocket> _sockets = [];
    private readonly List<string> _events = [];

    public void Dispose()
    {
        foreach (TcpSocket socket in _sockets)
            socket.Dispose();
        _listener.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public void Mail_is_read_in_the_order_it_was_posted()
    {
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            _loop.Post(() => _events.Add($"{number}"));
        }

        RunUntilStopped();

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), _events);
    }

    [Fact]
    public async Task Mail_from_other_threads_wakes_a_sleeping_loop()
    {
        Task running = Task.Factory.StartNew(_loop.Run, TaskCreationOptions.LongRunning);
        int read = 0;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 10_000; i++)
                _loop.Post(() => read++);
        })));
        _loop.Post(_loop.Stop);
        await running.WaitAsync(TimeSpan.FromSeconds(15));

        Assert.Equal(40_000, read);
    }

    [Fact]
    public void Who_yields_goes_on_after_the_others_have_had_their_turn()
    {
        int turns = 0;
        void Again()
        {
            _events.Add("again");
            if (++turns < 3)
                _loop.Yield(Again);
            else
                _loop.Stop();
        }

        _loop.Post(() =>
        {
            _loop.Yield(Again);
            _loop.Post(() => _events.Add("mail"));
        });
        _loop.Run();

        Assert.Equal(["mail", "again", "again", "again"], _events);
    }

    [Fact]
    public void An_event_of_this_turn_for_a_source_that_is_gone_goes_nowhere()
    {
        (TcpSocket one, TcpSocket two) = (Connected(), Connected());
        List<Probe> probes = [];
        void WhoeverComesFirst(Probe first)
        {
            Probe other = probes.Single(p => p != first);
            _loop.Forget(other); // as closing it does
            Probe successor = new(_ => _events.Add("the successor was told"));
            _loop.Watch(successor, Connected());
            Assert.Equal(other.Index == -1, successor.Index >= 0);
            _events.Add("told");
            _loop.Stop();
        }

        probes.Add(new(WhoeverComesFirst));
        probes.Add(new(WhoeverComesFirst));
        _loop.Watch(probes[0], one);
        _loop.Watch(probes[1], two); // both can be written to: two events in the first turn
        _loop.Run();

        Assert.Equal(["told"], _events);
    }

    [Fact]
    public void A_deadline_wakes_the_loop()
    {
        _loop.Timers.Set(new Alarm(_loop.Stop), 50);

        _loop.Run();

        Assert.InRange(_loop.Now, 50, 10_000);
    }

    private void RunUntilStopped()
    {
        _loop.Post(_loop.Stop);
        _loop.Run();
    }

    private TcpSocket Connected()
    {
        TcpSocket socket = TcpSocket.BeginConnect(NativeAddress.From(_listener.LocalAddress), source: null, out _)!;
        _sockets.Add(socket);
        return socket;
    }

    private sealed class Probe(Action<Probe> onReady) : ReadySource
    {
        internal override void OnReady(Readiness readiness) => onReady(this);
    }

    private sealed class Alarm(Action onDeadline) : Timed
    {
        internal override void OnDeadline() => onDeadline();
    }
}
