using System.Net;
using Bascule.Core.Model;
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
internal sealed class HttpConnection : ClientConnection
{
    private const int LingerMilliseconds = 1000;

    /// <summary>Interim answers to one request; a real server that goes on for ever would otherwise keep the worker to itself.</summary>
    private const int MostInterims = 1000;

    private readonly ReceiveBuffer _fromClient;
    private readonly ReceiveBuffer _fromServer;
    private readonly BodyRelay _request;
    private readonly BodyRelay _response;
    private readonly byte[] _clientAddress;
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

    public HttpConnection(Worker worker, Listener listener, TcpSocket socket, in NativeAddress address)
        : base(worker, listener, socket, address)
    {
        _fromClient = new(worker.Loop.Buffers);
        _fromServer = new(worker.Loop.Buffers);
        _request = new(worker.Loop);
        _response = new(worker.Loop);
        _clientAddress = TextOf(address);
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

    private enum Exchange
    {
        /// <summary>The head of the final answer is there, and written anew for the client.</summary>
        Answered,

        /// <summary>The pooled connection had been closed by the real server before it saw the request.</summary>
        WasStale,

        Failed,
    }

    /// <inheritdoc/>
    public override bool IsIdle => _isIdle;

    /// <inheritdoc/>
    protected override async ReactorTask<bool> ServeAsync()
    {
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
        _fromClient.Release();
    }

    private static byte[] TextOf(in NativeAddress address)
    {
        Span<byte> text = stackalloc byte[64];
        new IPAddress(address.AddressBytes).TryFormat(text, out int length);
        return text[..length].ToArray();
    }

    /// <summary>Step 1. The first request has <c>request</c> time to arrive; a later one may be waited for <c>keepAlive</c>, and then has <c>request</c>.</summary>
    private async ReactorTask<HeadRead> ReadHeadAsync(bool isFirst)
    {
        long deadline = In(isFirst ? Timeouts.Request : Timeouts.KeepAlive);
        bool hasBegun = false;
        while (true)
        {
            if (_fromClient.Length > 0)
            {
                if (ParseHead() is { } result)
                    return result;
                if (!hasBegun && !isFirst)
                    deadline = In(Timeouts.Request);
                hasBegun = true;
            }

            if (!hasBegun && Listener.IsRetired && !isFirst)
                return HeadRead.NoRequest;
            _isIdle = !hasBegun && !isFirst; // a client that has just come is about to speak
            Wakening wakening = await Waiter.Until(Client, Interest.Read, deadline);
            _isIdle = false;
            if (wakening == Wakening.Interrupted)
                return hasBegun ? HeadRead.ShutDown : HeadRead.NoRequest;
            if (wakening == Wakening.TimedOut)
                return hasBegun ? HeadRead.TimedOut : HeadRead.NoRequest;
            IoResult received = _fromClient.ReceiveFrom(Client);
            if (received.Count == 0 && !received.WouldBlock)
                return hasBegun ? HeadRead.ClientLeft : HeadRead.NoRequest;
        }
    }

    /// <returns>Null when more bytes are needed.</returns>
    private HeadRead? ParseHead()
    {
        RequestHead head = Worker.RequestHead;
        ParseResult result = head.Parse(_fromClient.Filled, Worker.Limits);
        if (result == ParseResult.Incomplete)
            return null;
        if (result != ParseResult.Complete)
        {
            _refusal = result;
            return HeadRead.Refused;
        }

        Route = Listener.Route;
        _requestHead ??= Worker.Loop.Buffers.Rent();
        _requestHeadLength = RequestWriter.Write(head, _fromClient.Filled, new(_clientAddress, "http"u8, Route.Authority), _requestHead.Span);
        if (_requestHeadLength < 0)
        {
            _refusal = ParseResult.HeadTooLarge;
            return HeadRead.Refused;
        }

        _method = head.Method;
        _minorVersion = head.MinorVersion;
        _framing = head.Framing;
        _contentLength = head.ContentLength;
        _clientKeepsAlive = head.KeepAlive;
        _isUpgrade = head.IsUpgrade;
        _mayRepeat = head.Method.IsIdempotent() && !head.HasBody;
        _fromClient.Consume(head.Length);
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
            if (outcome is ForwardOutcome.RealServerBrokeOff or ForwardOutcome.RealServerTimedOut or ForwardOutcome.RealServerSentBadResponse)
                CountFailure();
            return outcome;
        }
    }

    /// <summary>Steps 4 and 5. Both go on at once: a real server may answer before it has read the whole request.</summary>
    private async ReactorTask<(Exchange Exchange, ForwardOutcome Outcome)> ExchangeAsync()
    {
        TcpStream server = Server!.Stream;
        _request.Begin(Client, _fromClient, server, _requestHead!, _requestHeadLength, _framing, _contentLength, _framing, Worker.Limits);
        RelayState sending = RelayState.NeedsRoom;
        bool serverReads = true;
        bool serverSpoke = false;
        int interims = 0;
        long moved = 0;
        long bodyDeadline = In(Timeouts.Body);
        long answerDeadline = long.MaxValue;
        while (true)
        {
            if (serverReads && !_request.IsFinished)
            {
                sending = _request.Step();
                switch (sending)
                {
                    case RelayState.InputMalformed:
                        return (Exchange.Failed, ForwardOutcome.ClientSentBadRequest);
                    case RelayState.InputBroke or RelayState.InputCutShort:
                        return (Exchange.Failed, ForwardOutcome.ClientLeft);
                    case RelayState.OutputBroke:
                        serverReads = false; // it may have answered before it stopped reading: look for that first
                        break;
                }
            }

            if (server.CanRead || !serverReads)
            {
                IoResult received = _fromServer.ReceiveFrom(server);
                if (received.Count == 0 && (!received.WouldBlock || !serverReads))
                    return (Server.IsReused && !serverSpoke ? Exchange.WasStale : Exchange.Failed, ForwardOutcome.RealServerBrokeOff);
                serverSpoke |= received.Count > 0;
            }

            while (_fromServer.Length > 0)
            {
                ParseResult result = Worker.ResponseHead.Parse(_fromServer.Filled, Worker.Limits, _method, _isUpgrade);
                if (result == ParseResult.Incomplete)
                    break;
                if (result != ParseResult.Complete || !WriteAnswerHead(server))
                    return (Exchange.Failed, ForwardOutcome.RealServerSentBadResponse);
                if (!Worker.ResponseHead.IsInterim)
                    return (Exchange.Answered, ForwardOutcome.Completed);
                if (++interims > MostInterims)
                    return (Exchange.Failed, ForwardOutcome.RealServerSentBadResponse);
                if (await SendInterimAsync() is { } end)
                    return (Exchange.Failed, end);
            }

            if (Client.IsBroken)
                return (Exchange.Failed, ForwardOutcome.ClientLeft);
            if (sending == RelayState.Yields && !_request.IsFinished)
            {
                if (await Waiter.NextTurn() == Wakening.Interrupted)
                    return (Exchange.Failed, ForwardOutcome.ShutDown);
                continue;
            }

            // Each wait has a deadline that only its own progress moves: bytes of the request taken, or the request complete.
            bool isSending = serverReads && !_request.IsFinished;
            if (!isSending && answerDeadline == long.MaxValue)
                answerDeadline = In(Timeouts.Response);
            if (_request.Moved != moved)
                (moved, bodyDeadline) = (_request.Moved, In(Timeouts.Body));
            Wakening wakening = await Waiter.UntilEither(
                server, isSending && sending == RelayState.NeedsRoom ? Interest.Read | Interest.Write : Interest.Read,
                Client, isSending && sending == RelayState.NeedsInput ? Interest.Read : Interest.Failure,
                isSending ? bodyDeadline : answerDeadline);
            if (wakening == Wakening.Interrupted)
                return (Exchange.Failed, ForwardOutcome.ShutDown);
            if (wakening == Wakening.TimedOut)
                return (Exchange.Failed, isSending && sending == RelayState.NeedsInput ? ForwardOutcome.ClientTimedOut : ForwardOutcome.RealServerTimedOut);
        }
    }

    /// <summary>Writes the head just parsed for the client, and prepares its body.</summary>
    private bool WriteAnswerHead(TcpStream server)
    {
        ResponseHead head = Worker.ResponseHead;
        BodyFraming toward = head.FramingToward(_minorVersion);
        if (!head.IsInterim)
        {
            // An upload that the real server did not wait for leaves the connection in the middle of a body.
            _clientKeepsAlive &= _request.IsFinished && !Listener.IsRetired && toward != BodyFraming.UntilClose;
            _serverKeepsAlive = head.KeepAlive;
            _isSwitching = head.IsSwitching;
        }

        _responseHead ??= Worker.Loop.Buffers.Rent();
        int length = ResponseWriter.Write(head, _fromServer.Filled, _minorVersion, _clientKeepsAlive, _responseHead.Span);
        if (length < 0)
            return false;
        _fromServer.Consume(head.Length);
        _response.Begin(server, _fromServer, Client, _responseHead, length,
            head.IsInterim || head.IsSwitching ? BodyFraming.None : head.Framing, head.ContentLength, toward, Worker.Limits);
        return true;
    }

    /// <summary>Passes "100 Continue" and its like on; a client of HTTP/1.0 would not know what they are.</summary>
    /// <returns>Null when it was passed on.</returns>
    private async ReactorTask<ForwardOutcome?> SendInterimAsync()
    {
        if (_minorVersion == 0)
            return null;
        while (_response.Step() is var state && state != RelayState.Finished)
        {
            if (state == RelayState.OutputBroke)
                return ForwardOutcome.ClientLeft;
            _answerBegan = true; // half an interim answer: whatever followed it now would be read as its rest
            if (await Waiter.Until(Client, Interest.Write, In(Timeouts.Body)) is var wakening && wakening != Wakening.Ready)
                return wakening == Wakening.TimedOut ? ForwardOutcome.ClientTimedOut : ForwardOutcome.ShutDown;
        }

        _answerBegan = false;
        return null;
    }

    /// <summary>Step 6. What is left of the request goes on being sent meanwhile.</summary>
    private async ReactorTask<ForwardOutcome> AnswerAsync()
    {
        _answerBegan = true;
        TcpStream server = Server!.Stream;
        bool isSending = !_request.IsFinished;
        while (true)
        {
            RelayState down = _response.Step();
            RelayState up = isSending ? _request.Step() : RelayState.Finished;
            isSending &= up is RelayState.NeedsInput or RelayState.NeedsRoom or RelayState.Yields;
            switch (down)
            {
                case RelayState.Finished:
                    return _isSwitching ? await SwitchAsync() : ForwardOutcome.Completed;
                case RelayState.OutputBroke:
                    return ForwardOutcome.ClientLeft;
                case RelayState.InputBroke or RelayState.InputCutShort:
                    return ForwardOutcome.RealServerBrokeOff;
                case RelayState.InputMalformed:
                    return ForwardOutcome.RealServerSentBadResponse;
            }

            if (Client.IsBroken)
                return ForwardOutcome.ClientLeft;
            Wakening wakening = down == RelayState.Yields || up == RelayState.Yields
                ? await Waiter.NextTurn()
                : await Waiter.UntilEither(Client, Tunnel.Wanted(up, down), server, WantedOfServer(down, up), In(Timeouts.Body));
            if (wakening == Wakening.Interrupted)
                return ForwardOutcome.ShutDown;
            if (wakening == Wakening.TimedOut)
                return down == RelayState.NeedsRoom ? ForwardOutcome.ClientTimedOut : ForwardOutcome.RealServerTimedOut;
        }
    }

    // Not just that it breaks: what it sent before that can still be read, and will be, when the client has room for it.
    private static Interest WantedOfServer(RelayState down, RelayState up) =>
        (down == RelayState.NeedsInput ? Interest.Read : Interest.None) | (up == RelayState.NeedsRoom ? Interest.Write : Interest.None);

    /// <summary>After "101 Switching Protocols" it is no longer HTTP.</summary>
    private ReactorTask<ForwardOutcome> SwitchAsync()
    {
        CountMoved();
        _tunnel ??= new(Worker.Loop, Waiter);
        return _tunnel.RunAsync(Client, _fromClient, Server!.Stream, _fromServer, Timeouts.Tunnel, CountMoved);
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
            _fromClient.Release();
            if (await Waiter.Until(Client, Interest.Read, deadline) != Wakening.Ready)
                break;
            IoResult received = _fromClient.ReceiveFrom(Client);
            if (received.Count == 0 && !received.WouldBlock)
                break;
            if (_fromClient.WasFilled && await Waiter.NextTurn() != Wakening.Ready)
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
