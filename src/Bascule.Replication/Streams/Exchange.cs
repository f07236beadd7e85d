using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Replication;

namespace Bascule.Replication.Streams;

/// <summary>
/// What is said on one connection, from the first hello on: records go in, records come out. No clock, no socket, no task; whatever the peer says, no
/// more than its bounds is kept.
/// </summary>
internal sealed class Exchange : IDisposable
{
    private const int MostStreams = 32;
    private const int LongestName = 32;

    private readonly Outbox _outbox;
    private readonly MessageWriter _writer;
    private readonly ImmutableArray<OutgoingStream> _outgoing;
    private readonly OutgoingTransfers _questions;
    private readonly OutgoingTransfers _answers;
    private readonly IncomingTransfer _asked = new();
    private readonly IncomingTransfer _answered = new();
    private ImmutableArray<IncomingStream> _incoming;

    public Exchange(IEnumerable<IReplicatedState> states, Outbox outbox)
    {
        _outbox = outbox;
        _writer = new(outbox);
        _outgoing = [.. states.Select((state, number) => new OutgoingStream(state, (byte)number, _writer))];
        _questions = new(MessageKind.Question, _writer);
        _answers = new(MessageKind.Answer, _writer);
        SayHello();
    }

    /// <summary>The peer asks: an id to answer to, and the question.</summary>
    public Action<uint, byte[]> Asked { get; init; } = (_, _) => { };

    /// <summary>The peer has answered: the id of the question, and the answer.</summary>
    public Action<uint, byte[]> Answered { get; init; } = (_, _) => { };

    /// <summary>A change of our state, by its place among the states.</summary>
    public void Offer(int state, ReadOnlySpan<byte> entry) => _outgoing[state].Offer(entry);

    /// <summary>A change of our state was lost.</summary>
    public void LoseStep(int state) => _outgoing[state].LoseStep();

    /// <summary>Asks the peer.</summary>
    public void Ask(uint id, byte[] question) => _questions.Add(id, question);

    /// <summary>Answers the peer.</summary>
    public void Answer(uint id, byte[] answer) => _answers.Add(id, answer);

    /// <summary>Sends what there is to send and there is room for.</summary>
    /// <param name="withHeart">Something at least.</param>
    public void GoOn(bool withHeart = false)
    {
        if (withHeart)
            _writer.WriteHeart();
        if (!_incoming.IsDefault)
        {
            for (int i = 0; i < _incoming.Length; i++)
                _incoming[i].Say((byte)i, _writer);
        }

        _answers.GoOn();
        _questions.GoOn();
        foreach (OutgoingStream stream in _outgoing)
            stream.GoOn(_outbox);
        _writer.TryFlush();
    }

    /// <summary>Takes a record of the peer's.</summary>
    /// <returns>False when it is not to be understood: the connection is of no more use.</returns>
    public bool TryTake(ReadOnlySpan<byte> record)
    {
        while (!record.IsEmpty)
        {
            if (record.Length < 3)
                return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(record[1..]);
            if (record.Length < 3 + length || !TryTake((MessageKind)record[0], record.Slice(3, length)))
                return false;
            record = record[(3 + length)..];
        }

        return true;
    }

    /// <summary>How each of our kinds of state stands.</summary>
    public ImmutableArray<StreamStatus> Status() =>
    [
        .. _outgoing.Select(own =>
        {
            IncomingStream? other = _incoming.IsDefault ? null : _incoming.FirstOrDefault(i => i.State == own.State);
            return new StreamStatus(own.State.Name, own.IsInStep, own.Sent, other?.Received ?? 0, other?.Rejected ?? 0, own.Bulks);
        }),
    ];

    public void Dispose()
    {
        foreach (OutgoingStream stream in _outgoing)
            stream.Dispose();
    }

    private void SayHello()
    {
        byte[] body = [(byte)_outgoing.Length, .. _outgoing.SelectMany(s => NameOf(s.State.Name))];
        body.CopyTo(_writer.TryBegin(MessageKind.Hello, body.Length));
        _writer.TryFlush();

        static byte[] NameOf(string name) => [(byte)Encoding.ASCII.GetByteCount(name), .. Encoding.ASCII.GetBytes(name)];
    }

    private bool TryTake(MessageKind kind, ReadOnlySpan<byte> body)
    {
        if (_incoming.IsDefault)
            return kind == MessageKind.Hello && TryHear(body);
        return kind switch
        {
            MessageKind.Hello => false,
            MessageKind.Heart => true,
            MessageKind.BulkBegin or MessageKind.BulkEnd => body.Length == 1 && body[0] < _incoming.Length,
            MessageKind.Entry => TryTakeEntry(body),
            MessageKind.Ack => body.Length == 9 && body[0] < _outgoing.Length && _outgoing[body[0]].TryAck(BinaryPrimitives.ReadUInt64BigEndian(body[1..])),
            MessageKind.Again => TryTakeAgain(body),
            MessageKind.Question => TryTakePiece(_asked, body, Asked),
            MessageKind.Answer => TryTakePiece(_answered, body, Answered),
            _ => true, // a later version's: what it needs an answer to, it says in its hello
        };
    }

    private bool TryHear(ReadOnlySpan<byte> hello)
    {
        if (hello.IsEmpty || hello[0] > MostStreams)
            return false;
        List<string> names = [];
        ReadOnlySpan<byte> rest = hello[1..];
        for (int i = 0; i < hello[0]; i++)
        {
            if (rest.IsEmpty || rest[0] is 0 or > LongestName || rest.Length < 1 + rest[0])
                return false;
            names.Add(Encoding.ASCII.GetString(rest.Slice(1, rest[0])));
            rest = rest[(1 + rest[0])..];
        }

        if (!rest.IsEmpty || names.Distinct().Count() != names.Count)
            return false;
        _incoming = [.. names.Select(name => new IncomingStream(_outgoing.FirstOrDefault(s => s.State.Name == name)?.State))];
        foreach (OutgoingStream stream in _outgoing)
            stream.IsWanted = names.Contains(stream.State.Name);
        return true;
    }

    private bool TryTakeEntry(ReadOnlySpan<byte> body)
    {
        if (body.Length is < 9 or > 9 + IReplicatedState.LongestEntry || body[0] >= _incoming.Length)
            return false;
        _incoming[body[0]].Take(BinaryPrimitives.ReadUInt64BigEndian(body[1..]), body[9..]);
        return true;
    }

    private bool TryTakeAgain(ReadOnlySpan<byte> body)
    {
        if (body.Length != 1 || body[0] >= _outgoing.Length)
            return false;
        _outgoing[body[0]].LoseStep();
        return true;
    }

    private static bool TryTakePiece(IncomingTransfer transfer, ReadOnlySpan<byte> body, Action<uint, byte[]> whole)
    {
        if (!transfer.TryTake(body, out (uint Id, byte[] Content)? finished))
            return false;
        if (finished is { } message)
            whole(message.Id, message.Content);
        return true;
    }
}
