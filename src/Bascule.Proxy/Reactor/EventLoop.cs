using System.Collections.Concurrent;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Memory;
using Bascule.Linux.Sockets;

namespace Bascule.Proxy.Reactor;

/// <summary>Something the loop watches.</summary>
internal abstract class ReadySource
{
    /// <summary>Its place in the loop's table; -1 while it is not watched.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>The kernel says it is ready. Never called after it has been forgotten.</summary>
    internal abstract void OnReady(Readiness readiness);
}

/// <summary>
/// One thread, one epoll set, and all that lives on them: sources, deadlines, buffers, pipes. Nothing here is shared; other threads
/// only <see cref="Post"/>. Code on the loop never blocks.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    /// <summary>Size of a buffer. Holds the largest head with room for the fields a proxy adds; large enough for bulk copies.</summary>
    public const int BufferSize = 32 * 1024;

    private const int EventsPerWait = 512;
    private const int KeptBuffers = 1024;
    private const int KeptPipes = 64;
    private const int PipeCapacity = 256 * 1024;

    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private readonly EpollSet _epoll = new(EventsPerWait);
    private readonly WakeUp _wakeUp = new();
    private readonly ConcurrentQueue<Action> _mailbox = new();
    private readonly Stack<int> _freeIndexes = new();
    private readonly Stack<SplicePipe> _pipes = new();
    private ReadySource?[] _sources = new ReadySource?[1024];
    private uint[] _generations = new uint[1024];
    private int _usedIndexes;
    private List<Action> _yielded = [];
    private List<Action> _resuming = [];
    private bool _stopping;
    private bool _isClosed;

    public EventLoop(TimeProvider time)
    {
        _time = time;
        _startTimestamp = time.GetTimestamp();
        Timers = new(0);
        _epoll.AddReadable(_wakeUp.Descriptor, TokenOf(Register(new Mailbox(this))));
    }

    /// <summary>Milliseconds since the loop was made, as of the start of this turn: the clock is read once a turn.</summary>
    public long Now { get; private set; }

    /// <summary>The clock itself, for what happens within a turn: since an arbitrary moment, the same for all loops and schedulers.</summary>
    public TimeSpan ReadClock() => _time.GetElapsedTime(0);

    public TimerWheel Timers { get; }

    public BufferPool Buffers { get; } = new(BufferSize, KeptBuffers);

    /// <summary>Pipes handed out and not returned.</summary>
    public int RentedPipes { get; private set; }

    /// <summary>Runs turns until <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_stopping)
        {
            Turn();
        }
    }

    /// <summary>Ends <see cref="Run"/> after this turn. On the loop's thread.</summary>
    public void Stop() => _stopping = true;

    /// <summary>
    /// Runs something on the loop's thread. From any thread; for the control plane, not for traffic. Once the loop has ended nothing happens.
    /// </summary>
    public void Post(Action action)
    {
        _mailbox.Enqueue(action);
        lock (_mailbox)
        {
            // The number of a closed descriptor may belong to a file or a connection by now.
            if (!_isClosed)
                _wakeUp.Signal();
        }
    }

    /// <summary>Watches a socket: every change of readiness is told once.</summary>
    /// <exception cref="KernelException">ENOSPC or ENOMEM: the user watches as many descriptors as the system allows.</exception>
    public void Watch(ReadySource source, TcpSocket socket) => Watch(source, socket.Descriptor, isEdgeTriggered: true);

    /// <summary>Watches a listening socket: told in every turn while something waits.</summary>
    public void Watch(ReadySource source, ListenSocket socket) => _epoll.AddReadable(socket.Descriptor, TokenOf(Register(source)));

    /// <summary>Watches a UDP socket: told in every turn while datagrams wait, or an error.</summary>
    /// <inheritdoc cref="Watch(ReadySource, TcpSocket)"/>
    public void Watch(ReadySource source, UdpSocket socket) => Watch(source, socket.Descriptor, isEdgeTriggered: false);

    /// <summary>Stops watching a listening socket that stays open.</summary>
    public void Unwatch(ReadySource source, ListenSocket socket)
    {
        _epoll.Remove(socket.Descriptor);
        Forget(source);
    }

    /// <summary>Drops a source whose socket is about to be closed. Events of it that this turn still holds go nowhere.</summary>
    public void Forget(ReadySource source)
    {
        if (source.Index < 0)
            return;
        _sources[source.Index] = null;
        _generations[source.Index]++;
        _freeIndexes.Push(source.Index);
        source.Index = -1;
    }

    /// <summary>Goes on in the next turn, after the others have had theirs.</summary>
    public void Yield(Action continuation) => _yielded.Add(continuation);

    /// <summary>An empty pipe, or null when the system has none to give.</summary>
    public SplicePipe? RentPipe()
    {
        SplicePipe? rented = _pipes.TryPop(out SplicePipe? pipe) ? pipe : SplicePipe.Open(PipeCapacity);
        if (rented is not null)
            RentedPipes++;
        return rented;
    }

    /// <summary>Takes a pipe back; one that still holds bytes is closed.</summary>
    public void ReturnPipe(SplicePipe pipe)
    {
        RentedPipes--;
        if (pipe.Held == 0 && _pipes.Count < KeptPipes)
            _pipes.Push(pipe);
        else
            pipe.Dispose();
    }

    public void Dispose()
    {
        while (_pipes.TryPop(out SplicePipe? pipe))
            pipe.Dispose();
        Buffers.Dispose();
        lock (_mailbox)
        {
            _isClosed = true;
            _wakeUp.Dispose();
        }

        _epoll.Dispose();
    }

    private void Turn()
    {
        int count = _epoll.Wait(_yielded.Count > 0 ? 0 : Timers.NextTimeout(Now));
        Now = (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
        for (int i = 0; i < count; i++)
        {
            ulong token = _epoll.Token(i);
            int index = (int)(uint)token;
            if (_generations[index] == (uint)(token >> 32))
                _sources[index]?.OnReady(_epoll.Flags(i));
        }

        ResumeYielded();
        Timers.Advance(Now);
    }

    private void ResumeYielded()
    {
        if (_yielded.Count == 0)
            return;
        (_yielded, _resuming) = (_resuming, _yielded);
        foreach (Action continuation in _resuming)
            continuation();
        _resuming.Clear();
    }

    private void Watch(ReadySource source, int descriptor, bool isEdgeTriggered)
    {
        ulong token = TokenOf(Register(source));
        try
        {
            if (isEdgeTriggered)
                _epoll.AddEdgeTriggered(descriptor, token);
            else
                _epoll.AddReadable(descriptor, token);
        }
        catch (KernelException)
        {
            Forget(source);
            throw;
        }
    }

    private ReadySource Register(ReadySource source)
    {
        if (!_freeIndexes.TryPop(out int index))
        {
            index = _usedIndexes++;
            if (index == _sources.Length)
            {
                Array.Resize(ref _sources, index * 2);
                Array.Resize(ref _generations, index * 2);
            }
        }

        _sources[index] = source;
        source.Index = index;
        return source;
    }

    private ulong TokenOf(ReadySource source) => (uint)source.Index | ((ulong)_generations[source.Index] << 32);

    private void ReadMail()
    {
        _wakeUp.Clear();
        while (_mailbox.TryDequeue(out Action? action))
            action();
    }

    private sealed class Mailbox(EventLoop loop) : ReadySource
    {
        internal override void OnReady(Readiness readiness) => loop.ReadMail();
    }
}
