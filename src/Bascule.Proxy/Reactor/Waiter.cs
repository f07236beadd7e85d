using System.Runtime.CompilerServices;

namespace Bascule.Proxy.Reactor;

/// <summary>What a story waits for on a stream.</summary>
[Flags]
internal enum Interest
{
    /// <summary>Nothing that happens to it.</summary>
    None = 0,

    /// <summary>That it breaks: the other side sent a reset.</summary>
    Failure = 1,

    /// <summary>That a read may give something, or that it breaks.</summary>
    Read = 2 | Failure,

    /// <summary>That a write may take something, or that it breaks.</summary>
    Write = 4 | Failure,
}

/// <summary>Why a wait ended.</summary>
internal enum Wakening
{
    /// <summary>A stream is ready for what was waited for, or broke.</summary>
    Ready,

    /// <summary>The deadline passed.</summary>
    TimedOut,

    /// <summary>Somebody wants the story to end: a shutdown, or a virtual server that is gone.</summary>
    Interrupted,
}

/// <summary>
/// The one place where a story (the async method that serves one client connection) sleeps. It waits for one or two streams and a deadline.
/// </summary>
internal sealed class Waiter(EventLoop loop) : Timed, IStreamOwner, ICriticalNotifyCompletion
{
    private Action? _continuation;
    private TcpStream? _first;
    private TcpStream? _second;
    private Interest _firstInterest;
    private Interest _secondInterest;
    private Wakening _wakening;
    private Action? _wakeFromYield;
    private bool _isYielding;

    /// <summary>The story sleeps now.</summary>
    public bool IsWaiting => _continuation is not null;

    public bool IsCompleted { get; private set; }

    /// <summary>Waits until the stream is ready, at most until the deadline (in the loop's milliseconds).</summary>
    public Waiter Until(TcpStream stream, Interest interest, long deadline) =>
        UntilEither(stream, interest, null, Interest.None, deadline);

    /// <summary>Waits until one of two streams is ready, at most until the deadline.</summary>
    public Waiter UntilEither(TcpStream first, Interest firstInterest, TcpStream? second, Interest secondInterest, long deadline)
    {
        (_first, _firstInterest, _second, _secondInterest) = (first, firstInterest, second, secondInterest);
        _wakening = Wakening.Ready;
        IsCompleted = IsReady(first, firstInterest) || (second is not null && IsReady(second, secondInterest));
        if (!IsCompleted)
            loop.Timers.Set(this, deadline);
        return this;
    }

    /// <summary>Lets the other stories have their turn.</summary>
    public Waiter NextTurn()
    {
        (_first, _second) = (null, null);
        _wakening = Wakening.Ready;
        IsCompleted = false;
        _isYielding = true;
        loop.Yield(_wakeFromYield ??= WakeFromYield);
        return this;
    }

    /// <summary>Ends the wait from outside. Nothing happens when the story is not waiting.</summary>
    public void Interrupt() => Wake(Wakening.Interrupted);

    /// <summary>The story is over.</summary>
    public void Retire() => loop.Timers.Remove(this);

    public Waiter GetAwaiter() => this;

    public Wakening GetResult() => _wakening;

    public void OnCompleted(Action continuation) => _continuation = continuation;

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    public void OnChanged(TcpStream stream)
    {
        if (_continuation is null)
            return;
        if ((stream == _first && IsReady(stream, _firstInterest)) || (stream == _second && IsReady(stream, _secondInterest)))
            Wake(Wakening.Ready);
    }

    internal override void OnDeadline() => Wake(Wakening.TimedOut);

    private static bool IsReady(TcpStream stream, Interest interest) =>
        ((interest & Interest.Failure) != 0 && stream.IsBroken)
        || ((interest & Interest.Read) == Interest.Read && stream.CanRead)
        || ((interest & Interest.Write) == Interest.Write && stream.CanWrite);

    private void WakeFromYield()
    {
        if (_isYielding)
            Wake(Wakening.Ready);
    }

    private void Wake(Wakening wakening)
    {
        if (_continuation is not { } continuation)
            return;
        _continuation = null;
        _isYielding = false;
        _wakening = wakening;
        TimerWheel.Clear(this);
        continuation();
    }
}
