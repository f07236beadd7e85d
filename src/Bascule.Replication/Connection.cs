using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bascule.Core.Replication;
using Bascule.Replication.Streams;
using Bascule.Replication.Wire;

namespace Bascule.Replication;

/// <summary>
/// An authentic connection: one task reads records, one writes them, and the engine's thread lies between. A peer that reads slowly is felt as an outbox
/// without room, one that we are too slow for as a full inbox, from which TCP slows it down.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int InboxRecords = 16;

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly RecordSealer _sealer;
    private readonly RecordOpener _opener;
    private readonly Outbox _outbox = new();
    private readonly Channel<byte[]> _inbox = Channel.CreateBounded<byte[]>(InboxRecords);
    private readonly CancellationTokenSource _closing = new();
    private readonly Action _wake;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastHeard;
    private string? _whyClosed;

    /// <param name="send">The key of what we say.</param>
    /// <param name="receive">The key of what the peer says.</param>
    /// <param name="wake">Called when there is something for the engine's thread to do.</param>
    public Connection(Socket socket, RecordKey send, RecordKey receive, IEnumerable<IReplicatedState> states, TimeProvider time, Action wake, Action<Connection, uint, byte[]> asked, Action<uint, byte[]> answered)
    {
        _socket = socket;
        IPEndPoint remote = (IPEndPoint)socket.RemoteEndPoint!;
        Address = remote.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(remote.Address.MapToIPv4(), remote.Port) : remote;
        _time = time;
        _wake = wake;
        _sealer = new(send);
        _opener = new(receive);
        _lastHeard = time.GetTimestamp();
        Exchange = new(states, _outbox) { Asked = (id, question) => asked(this, id, question), Answered = answered };
    }

    /// <summary>Touched by the engine's thread alone.</summary>
    public Exchange Exchange { get; }

    /// <summary>The peer's.</summary>
    public EndPoint Address { get; }

    /// <summary>Completes when it is closed.</summary>
    public Task Closed => _closed.Task;

    /// <summary>As a sentence; null while it is open.</summary>
    public string? WhyClosed => Volatile.Read(ref _whyClosed);

    /// <summary>What came in a form that nobody who has the key sends.</summary>
    public Rejection? Rejected { get; private set; }

    /// <summary>Since the last record came.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _lastHeard));

    /// <summary>Starts reading and writing.</summary>
    public async Task RunAsync()
    {
        Task reading = ReadAsync();
        Task writing = WriteAsync();
        await Task.WhenAll(reading, writing);
        _socket.Dispose();
        _closed.SetResult();
        _wake();
    }

    /// <summary>Takes what has come. On the engine's thread.</summary>
    /// <returns>Whether anything had.</returns>
    public bool TakeRecords()
    {
        bool hasTaken = false;
        while (WhyClosed is null && _inbox.Reader.TryRead(out byte[]? record))
        {
            hasTaken = true;
            if (!Exchange.TryTake(record))
                Reject(Rejection.BadMessage, "it said what is not to be understood");
        }

        return hasTaken;
    }

    /// <summary>Ends it; the first reason counts. Never waits.</summary>
    public void Close(string why)
    {
        if (Interlocked.CompareExchange(ref _whyClosed, why, null) is null)
            _closing.Cancel();
    }

    /// <summary>After <see cref="Closed"/>.</summary>
    public void Dispose()
    {
        Exchange.Dispose();
        _sealer.Dispose();
        _opener.Dispose();
    }

    private void Reject(Rejection what, string why)
    {
        Rejected ??= what;
        Close(why);
    }

    private async Task ReadAsync()
    {
        byte[] head = new byte[RecordForm.HeadLength];
        byte[] body = new byte[RecordForm.LongestContent + RecordForm.TagLength];
        try
        {
            while (await _socket.ReceiveExactlyAsync(head, _closing.Token))
            {
                if (RecordForm.ContentLength(head) is not { } length)
                {
                    Reject(Rejection.BadRecord, "a record of an impossible length came");
                    break;
                }

                Memory<byte> rest = body.AsMemory(0, length + RecordForm.TagLength);
                byte[] content = new byte[length];
                if (!await _socket.ReceiveExactlyAsync(rest, _closing.Token))
                    break;
                if (!_opener.TryOpen(head, rest.Span, content))
                {
                    Reject(Rejection.BadRecord, "a record came that is not the one that was sent");
                    break;
                }

                Volatile.Write(ref _lastHeard, _time.GetTimestamp());
                if (!_inbox.Writer.TryWrite(content))
                {
                    _wake();
                    await _inbox.Writer.WriteAsync(content, _closing.Token);
                    Volatile.Write(ref _lastHeard, _time.GetTimestamp()); // it was we who did not listen
                }

                _wake();
            }

            Close("the other side closed it");
        }
        catch (OperationCanceledException)
        {
            // Closed by us: the reason is noted.
        }
        catch (SocketException e)
        {
            Close(e.Message);
        }
    }

    private async Task WriteAsync()
    {
        byte[] wire = new byte[RecordForm.HeadLength + RecordForm.LongestContent + RecordForm.TagLength];
        try
        {
            while (await _outbox.Records.WaitToReadAsync(_closing.Token))
            {
                bool wasFull = _outbox.Room == 0;
                while (_outbox.Records.TryRead(out byte[]? record))
                {
                    if (_sealer.IsWornOut)
                        Close("its keys have been used long enough; it is opened again with new ones");
                    _closing.Token.ThrowIfCancellationRequested();
                    await _socket.SendWholeAsync(wire.AsMemory(0, _sealer.Seal(record, wire)), _closing.Token);
                }

                if (wasFull)
                    _wake();
            }
        }
        catch (OperationCanceledException)
        {
            // Closed by us: the reason is noted.
        }
        catch (SocketException e)
        {
            Close(e.Message);
        }
    }
}
