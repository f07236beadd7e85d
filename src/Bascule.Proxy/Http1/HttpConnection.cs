using Bascule.Core.Model;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Memory;
using Bascule.Linux.Sockets;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tcp;

namespace Bascule.Proxy.Http1;

/// <summary>
/// A connection of an HTTP virtual server: request after request, each to the real server that the scheduler chooses for it.
/// </summary>
/// <remarks>
/// <code>
///            1 read head         3 reach           4 send
///   client ─────────────► here ─────────────► real server
///          ◄─────────────      ◄─────────────
///            6 answer            5 read head
/// </code>
/// Between requests it holds no buffer. A head is parsed in the worker's one <see cref="RequestHead"/> and at once written anew into a
/// buffer of this connection, so nothing parsed is needed after an <c>await</c>, and the same bytes can be sent again.
/// </remarks>
internal sealed partial class HttpConnection : ClientConnection
{
    private const int LingerMilliseconds = 1000;

    private readonly ReceiveBuffer _fromServer;
    private readonly BodyRelay _request;
    private readonly BodyRelay _response;
    private byte[] _clientAddress = [];
    private NativeBuffer? _requestHead;
    private NativeBuffer? _responseHead;
    private Tunnel? _tunnel;
    private bool _isIdle;

    // What is remembered of the current request and its answer.
    private ParseResult _refusal;
    private Method _method;
    private int _minorVersion;
    private int _requestHeadLength;
    private BodyFraming _framing;
    private long _contentLength;
    private bool _clientKeepsAlive;
    private bool _isUpgrade;
    private bool _mayRepeat;
    private bool _serverKeepsAlive;
    private bool _isSwitching;
    private bool _answerBegan;
    private long _countedIn;
    private long _countedOut;

    public HttpConnection(Worker worker, ConnectionListener listener, TcpSocket socket, in NativeAddress address)
        : base(worker, listener, socket, address)
    {
        _fromServer = new(worker.Loop.Buffers);
        _request = new(worker.Loop);
        _response = new(worker.Loop);
    }

    private enum HeadRead
    {
        /// <summary>A head has been read, and written anew for the real server.</summary>
        Complete,

        /// <summary>No request came: nothing to answer, nothing to count.</summary>
        NoRequest,

        /// <summary>The client left in the middle of it.</summary>
        ClientLeft,

        /// <summary>It took too long.</summary>
        TimedOut,

        /// <summary>It was refused; <see cref="_refusal"/> says why.</summary>
        Refused,

        /// <summary>The director is being cut off.</summary>
        ShutDown,
    }

    /// <inheritdoc/>
    public override bool IsIdle => _isIdle;

    /// <inheritdoc/>
    protected override async ReactorTask<bool> ServeAsync()
    {
        _clientAddress = TextOf(Address);
        bool isFirst = true;
        while (true)
        {
            // 1. Read the head of the next request, and write it anew.
            HeadRead read = await ReadHeadAsync(isFirst);
            isFirst = false;
            if (read == HeadRead.NoRequest)
                return true;
            if (read != HeadRead.Complete)
                return await RefuseHeadAsync(read);

            // 2. to 6. Have it answered.
            ForwardOutcome outcome = await ForwardAsync();
            bool isComplete = outcome == ForwardOutcome.Completed;
            Route.Counters.Count(isComplete && IsSorry ? ForwardOutcome.CompletedBySorryServer : outcome);
            CountMoved();

            // 7. Give everything back; the connection to the real server may serve the next request.
            bool goesOn = isComplete && _clientKeepsAlive && _request.IsFinished && !_isSwitching;
            LeaveServer(reusable: isComplete && _serverKeepsAlive && _request.IsFinished && _fromServer.Length == 0, reset: !isComplete);
            ReleaseMessage();
            if (!isComplete)
                return !_answerBegan && await RefuseAsync(outcome);
            if (!goesOn)
                return _isSwitching || await LingerAsync();
        }
    }

    /// <inheritdoc/>
    protected override void Release()
    {
        ReleaseMessage();
    }

    private static byte[] TextOf(in ClientAddress address)
    {
        Span<byte> text = stackalloc byte[AddressText.Longest];
        return text[..AddressText.Write(address, text)].ToArray();
    }

    /// <summary>Step 1. The first request has <c>request</c> time to arrive; a later one may be waited for <c>keepAlive</c>, and then has <c>request</c>.</summary>
    private async ReactorTask<HeadRead> ReadHeadAsync(bool isFirst)
    {
        long deadline = In(isFirst ? Timeouts.Request : Timeouts.KeepAlive);
        bool hasBegun = false;
        while (true)
        {
            if (FromClient.Length > 0)
            {
                if (ParseHead() is { } result)
                    return result;
                if (!hasBegun && !isFirst)
                    deadline = In(Timeouts.Request);
                hasBegun = true;
            }

            if (!hasBegun && Listener.EndsConnections && !isFirst)
                return HeadRead.NoRequest;
            _isIdle = !hasBegun && !isFirst; // a client that has just come is about to speak
            Wakening wakening = await Waiter.Until(Client, Interest.Read, deadline);
            _isIdle = false;
            if (wakening == Wakening.Interrupted)
                return hasBegun ? HeadRead.ShutDown : HeadRead.NoRequest;
            if (wakening == Wakening.TimedOut)
                return hasBegun ? HeadRead.TimedOut : HeadRead.NoRequest;
            IoResult received = FromClient.ReceiveFrom(Client);
            if (received.Count == 0 && !received.WouldBlock)
                return hasBegun ? HeadRead.ClientLeft : HeadRead.NoRequest;
        }
    }

    /// <returns>Null when more bytes are needed.</returns>
    private HeadRead? ParseHead()
    {
        RequestHead head = Worker.RequestHead;
        ParseResult result = head.Parse(FromClient.Filled, Worker.Limits);
        if (result == ParseResult.Incomplete)
            return null;
        if (result != ParseResult.Complete)
        {
            _refusal = result;
            return HeadRead.Refused;
        }

        Route = Listener.Route;
        Claim = SessionFields.Read(head, FromClient.Filled, Route.VirtualServer);
        _requestHead ??= Worker.Loop.Buffers.Rent();
        _requestHeadLength = RequestWriter.Write(head, FromClient.Filled, new(_clientAddress, "http"u8, Listener.Authority), _requestHead.Span);
        if (_requestHeadLength < 0)
        {
            _refusal = ParseResult.HeadTooLarge;
            return HeadRead.Refused;
        }

        Content = Route.Key?.ContentOf(head, FromClient.Filled) ?? 0;
        _method = head.Method;
        _minorVersion = head.MinorVersion;
        _framing = head.Framing;
        _contentLength = head.ContentLength;
        _clientKeepsAlive = head.KeepAlive;
        _isUpgrade = head.IsUpgrade;
        _mayRepeat = head.Method.IsIdempotent() && !head.HasBody;
        FromClient.Consume(head.Length);
        return HeadRead.Complete;
    }

    /// <summary>Steps 2 to 6: from the request to the end of its answer.</summary>
    private async ReactorTask<ForwardOutcome> ForwardAsync()
    {
        BeginTries();
        _answerBegan = _isSwitching = false;
        (_countedIn, _countedOut) = (0, 0);
        for (bool mayReuse = true; ; mayReuse = false)
        {
            // 2. and 3. Choose a real server, and have a connection to it.
            ForwardOutcome outcome = await ReachRealServerAsync(mayReuse);
            if (outcome != ForwardOutcome.Completed)
                return outcome;

            // 4. and 5. Send the request, and read the head of the answer.
            (Exchange exchange, outcome) = await ExchangeAsync();
            if (exchange == Exchange.WasStale && _mayRepeat && mayReuse)
            {
                LeaveServer(reusable: false);
                continue;
            }

            // 6. Send the answer.
            if (exchange == Exchange.Answered)
                outcome = await AnswerAsync();
            if (outcome == ForwardOutcome.RealServerTimedOut)
                EndAnswerTime();
            if (outcome is ForwardOutcome.RealServerBrokeOff or ForwardOutcome.RealServerTimedOut or ForwardOutcome.RealServerSentBadResponse)
            {
                CountFailure();
                Judge(isGood: false);
            }
            else if (exchange == Exchange.Answered)
            {
                Judge(isGood: true);
            }

            return outcome;
        }
    }

    private void CountMoved()
    {
        long toServer = _request.Moved + (_tunnel?.MovedToServer ?? 0);
        long toClient = _response.Moved + (_tunnel?.MovedToClient ?? 0);
        CountBytes(toServer - _countedIn, toClient - _countedOut);
        (_countedIn, _countedOut) = (toServer, toClient);
    }

    private async ReactorTask<bool> RefuseHeadAsync(HeadRead read)
    {
        ForwardOutcome outcome = read switch
        {
            HeadRead.Refused => _refusal.RequestOutcome() ?? ForwardOutcome.ClientSentBadRequest,
            HeadRead.TimedOut => ForwardOutcome.ClientTimedOut,
            HeadRead.ShutDown => ForwardOutcome.ShutDown,
            HeadRead.ClientLeft or HeadRead.NoRequest or HeadRead.Complete => ForwardOutcome.ClientLeft,
        };
        Route = Listener.Route;
        Route.Counters.Count(outcome);
        ReadOnlySpan<byte> answer = read == HeadRead.Refused ? Responses.For(_refusal) : Responses.For(outcome, Method.Get);
        return SendOwn(answer) && await LingerAsync();
    }

    private async ReactorTask<bool> RefuseAsync(ForwardOutcome outcome) =>
        SendOwn(Responses.For(outcome, _method)) && await LingerAsync();

    // A few hundred bytes into a socket that has just been read from: if they do not fit, the client is not reading.
    private bool SendOwn(ReadOnlySpan<byte> answer) => answer.Length > 0 && Client.Send(answer).Count == answer.Length;

    /// <summary>
    /// Says that no more will be sent, and reads past what the client still sends: closing at once would make its kernel drop the answer
    /// before it is read. RFC 9112 §9.6.
    /// </summary>
    private async ReactorTask<bool> LingerAsync()
    {
        Client.ShutdownSend();
        long deadline = Worker.Loop.Now + LingerMilliseconds;
        while (Worker.Loop.Now < deadline)
        {
            FromClient.Release();
            if (await Waiter.Until(Client, Interest.Read, deadline) != Wakening.Ready)
                break;
            IoResult received = FromClient.ReceiveFrom(Client);
            if (received.Count == 0 && !received.WouldBlock)
                break;
            if (FromClient.WasFilled && await Waiter.NextTurn() != Wakening.Ready)
                break;
        }

        return true;
    }

    private void ReleaseMessage()
    {
        _request.End();
        _response.End();
        _tunnel?.End();
        _fromServer.Release();
        if (_requestHead is not null)
            Worker.Loop.Buffers.Return(_requestHead);
        if (_responseHead is not null)
            Worker.Loop.Buffers.Return(_responseHead);
        _requestHead = _responseHead = null;
    }
}
