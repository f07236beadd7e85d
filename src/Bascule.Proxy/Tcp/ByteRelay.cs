using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tcp;

/// <summary>How far a relay has come.</summary>
internal enum RelayState
{
    /// <summary>It has moved its share of this turn and could move more.</summary>
    Yields,

    /// <summary>It waits for the sender.</summary>
    NeedsInput,

    /// <summary>It waits for the receiver: back-pressure.</summary>
    NeedsRoom,

    /// <summary>Everything has been handed to the receiver's socket.</summary>
    Finished,

    /// <summary>The sender ended before all was there.</summary>
    InputCutShort,

    /// <summary>The sender's connection broke.</summary>
    InputBroke,

    /// <summary>The receiver's connection broke.</summary>
    OutputBroke,

    /// <summary>The sender sent bytes that are not what they should be.</summary>
    InputMalformed,
}

/// <summary>
/// Moves bytes one way between two streams: small messages by copying through one buffer, bulk by splice(2), which leaves them in the kernel.
/// It never holds more than one buffer or one pipe of bytes, and none while the sender is silent.
/// </summary>
internal sealed class ByteRelay(EventLoop loop)
{
    /// <summary>Rounds per step; then others have their turn. 16 rounds move at most 0.5 MiB copying, 4 MiB splicing.</summary>
    private const int RoundsPerStep = 16;

    /// <summary>A splice of less is no better than a copy.</summary>
    private const int WorthSplicing = 16 * 1024;

    /// <summary>So many small splices in a row end splicing: the bulk is over, messages go back and forth.</summary>
    private const int SmallSplicesAllowed = 4;

    private TcpStream _from = null!;
    private TcpStream _to = null!;
    private ReceiveBuffer _input = null!;
    private long _remaining;
    private bool _endsWithInput;
    private bool _splices;
    private int _smallSplices;
    private SplicePipe? _pipe;

    /// <summary>Bytes handed to the receiver since <see cref="Begin"/>.</summary>
    public long Moved { get; private set; }

    public bool IsFinished { get; private set; }

    /// <summary>Sets it up. <paramref name="length"/> null means: until the sender ends.</summary>
    public void Begin(TcpStream from, ReceiveBuffer input, TcpStream to, long? length)
    {
        (_from, _input, _to) = (from, input, to);
        _remaining = length ?? long.MaxValue;
        _endsWithInput = length is null;
        (_splices, _smallSplices, Moved) = (false, 0, 0);
        IsFinished = _remaining == 0;
    }

    /// <summary>Moves what can be moved now.</summary>
    public RelayState Step()
    {
        for (int round = 0; round < RoundsPerStep; round++)
        {
            if (IsFinished)
                return RelayState.Finished;
            RelayState? blocked = _splices ? Splice() : Copy();
            if (blocked is { } state)
                return state;
        }

        return RelayState.Yields;
    }

    /// <summary>Gives back what it holds, and forgets what it counted. A second call does nothing.</summary>
    public void End()
    {
        GiveBackPipe();
        Moved = 0;
    }

    private RelayState? Copy()
    {
        if (_input.Length == 0)
        {
            if (!_from.CanRead)
                return RelayState.NeedsInput;
            IoResult read = _input.ReceiveFrom(_from);
            if (read.Count == 0)
                return NothingRead(read);
        }

        int count = (int)long.Min(_input.Length, _remaining);
        bool wasBulk = _input.WasFilled;
        if (!_to.CanWrite)
            return RelayState.NeedsRoom;
        IoResult sent = _to.Send(_input.Filled[..count]);
        if (sent.IsError)
            return RelayState.OutputBroke;
        _input.Consume(sent.Count);
        NoteMoved(sent.Count);
        _splices = wasBulk && _input.Length == 0 && _remaining > EventLoop.BufferSize && !_from.HasUrgent;
        return sent.Count < count ? RelayState.NeedsRoom : null;
    }

    private RelayState? Splice()
    {
        _pipe ??= loop.RentPipe();
        if (_pipe is null)
        {
            _splices = false;
            return null;
        }

        if (_pipe.Held == 0)
        {
            if (_from.HasUrgent)
                return StopSplicing();
            IoResult taken = _from.CanRead ? _from.SpliceInto(_pipe, (int)long.Min(_pipe.Capacity, _remaining)) : default;
            if (taken.Count == 0)
            {
                if (_from.CanRead && taken.IsEnd)
                    return StopSplicing(); // only a read tells: before an urgent byte that it cannot pass, splice says "end" as well
                GiveBackPipe();
                return _from.CanRead ? NothingRead(taken) : RelayState.NeedsInput;
            }

            _smallSplices = taken.Count < WorthSplicing ? _smallSplices + 1 : 0;
        }

        if (!_to.CanWrite)
            return RelayState.NeedsRoom;
        IoResult given = _to.SpliceFrom(_pipe);
        if (given.IsError)
            return RelayState.OutputBroke;
        NoteMoved(given.Count);
        if (_pipe.Held > 0)
            return RelayState.NeedsRoom;
        return _smallSplices >= SmallSplicesAllowed ? StopSplicing() : null;
    }

    private RelayState? StopSplicing()
    {
        (_splices, _smallSplices) = (false, 0);
        GiveBackPipe();
        return null;
    }

    private void GiveBackPipe()
    {
        if (_pipe is not null)
            loop.ReturnPipe(_pipe);
        _pipe = null;
    }

    private RelayState? NothingRead(IoResult read)
    {
        if (read.WouldBlock)
            return RelayState.NeedsInput;
        if (read.IsError)
            return RelayState.InputBroke;
        if (!_endsWithInput)
            return RelayState.InputCutShort;
        IsFinished = true;
        return RelayState.Finished;
    }

    private void NoteMoved(int count)
    {
        Moved += count;
        _remaining -= count;
        IsFinished = _remaining == 0;
    }
}
