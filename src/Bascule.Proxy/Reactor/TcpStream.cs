using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;

namespace Bascule.Proxy.Reactor;

/// <summary>Whoever is told when a stream changes: the <see cref="Waiter"/> of the story that uses it, or the pool it idles in.</summary>
internal interface IStreamOwner
{
    /// <summary>It became readable or writable, ended, or broke.</summary>
    void OnChanged(TcpStream stream);
}

/// <summary>
/// The byte transport under the protocols: read what is there, write what there is room for, and know whether it is worth trying. Protocol
/// code uses nothing else, so that a TLS transport can take this place.
/// </summary>
internal sealed class TcpStream : ReadySource
{
    private readonly EventLoop _loop;
    private bool _ended;

    /// <summary>Takes the socket over, and watches it.</summary>
    /// <exception cref="KernelException">It cannot be watched, and has been closed.</exception>
    public TcpStream(EventLoop loop, TcpSocket socket, IStreamOwner owner)
    {
        _loop = loop;
        Socket = socket;
        Owner = owner;
        try
        {
            loop.Watch(this, socket);
        }
        catch (KernelException)
        {
            socket.Dispose();
            throw;
        }
    }

    public TcpSocket Socket { get; }

    public IStreamOwner Owner { get; set; }

    /// <summary>A read may give something: bytes, the end, or the error.</summary>
    public bool CanRead { get; private set; }

    /// <summary>A write may take something, or give the error.</summary>
    public bool CanWrite { get; private set; }

    /// <summary>The connection broke: the other side sent a reset, or cannot be reached any more. (That both sides have finished is no break.)</summary>
    public bool IsBroken { get; private set; }

    /// <summary>
    /// Urgent bytes have come. The kernel ends a read before them though more is there, and never splices past them.
    /// </summary>
    public bool HasUrgent { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Reads what is there.</summary>
    public IoResult Receive(Span<byte> into)
    {
        IoResult result = Socket.Receive(into);
        NoteRead(result, result.Count == into.Length);
        return result;
    }

    /// <summary>Writes as much as there is room for.</summary>
    /// <param name="moreFollows">It leaves together with what is written next, and without that after 200 ms. tcp(7), MSG_MORE.</param>
    public IoResult Send(ReadOnlySpan<byte> bytes, bool moreFollows = false)
    {
        IoResult result = Socket.Send(bytes, moreFollows);
        NoteWrite(result, result.Count == bytes.Length);
        return result;
    }

    /// <summary>Writes three pieces, one after the other, in one call. Any may be empty, but not all.</summary>
    public IoResult Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        IoResult result = Socket.Send(first, second, third);
        NoteWrite(result, result.Count == first.Length + second.Length + third.Length);
        return result;
    }

    /// <summary>Moves what is there into a pipe.</summary>
    public IoResult SpliceInto(SplicePipe pipe, int most)
    {
        IoResult result = pipe.Fill(Socket, most);
        NoteRead(result, wasFull: true); // a short splice may mean a full pipe: only "would block" says that the socket is empty
        return result;
    }

    /// <summary>Moves what a pipe holds out.</summary>
    public IoResult SpliceFrom(SplicePipe pipe)
    {
        IoResult result = pipe.Drain(Socket);
        NoteWrite(result, pipe.Held == 0);
        return result;
    }

    /// <summary>Says that nothing more will be sent; reading goes on.</summary>
    public void ShutdownSend() => Socket.ShutdownSend();

    /// <summary>Closes it politely; with <paramref name="reset"/>, as broken.</summary>
    public void Close(bool reset = false)
    {
        if (IsClosed)
            return;
        IsClosed = true;
        CanRead = CanWrite = false;
        _loop.Forget(this);
        if (reset)
            Socket.ResetOnClose();
        Socket.Dispose();
    }

    internal override void OnReady(Readiness readiness)
    {
        const Readiness over = Readiness.Error | Readiness.HangUp;
        if ((readiness & (over | Readiness.ReadHangUp)) != 0)
            _ended = true;
        if ((readiness & Readiness.Error) != 0)
            IsBroken = true;
        if ((readiness & Readiness.Urgent) != 0)
            HasUrgent = true;
        if ((readiness & (Readiness.Read | Readiness.ReadHangUp | over)) != 0)
            CanRead = true;
        if ((readiness & (Readiness.Write | over)) != 0)
            CanWrite = true;
        Owner.OnChanged(this);
    }

    // A read that did not fill its buffer has emptied the socket, and the kernel will tell when more comes: no second read to
    // hear "would block". Unless the end was announced already (it is not
    // announced again), or urgent bytes may have ended the read.
    private void NoteRead(IoResult result, bool wasFull)
    {
        if (result.WouldBlock || (!wasFull && !_ended && !HasUrgent && result.Count > 0))
            CanRead = false;
    }

    private void NoteWrite(IoResult result, bool wasWhole)
    {
        if (result.WouldBlock || (!wasWhole && !result.IsError))
            CanWrite = false;
    }
}
