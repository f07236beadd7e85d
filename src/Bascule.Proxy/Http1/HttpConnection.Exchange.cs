using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tcp;

namespace Bascule.Proxy.Http1;

/// <content>Steps 4 to 6: one request sent, and its answer passed on.</content>
internal sealed partial class HttpConnection
{
    /// <summary>Interim answers to one request; a real server that goes on for ever would otherwise keep the worker to itself.</summary>
    private const int MostInterims = 1000;

    private enum Exchange
    {
        /// <summary>The head of the final answer is there, and written anew for the client.</summary>
        Answered,

        /// <summary>The pooled connection had been closed by the real server before it saw the request.</summary>
        WasStale,

        Failed,
    }

    /// <summary>Steps 4 and 5. Both go on at once: a real server may answer before it has read the whole request.</summary>
    private async ReactorTask<(Exchange Exchange, ForwardOutcome Outcome)> ExchangeAsync()
    {
        TcpStream server = Server!.Stream;
        _request.Begin(Client, FromClient, server, _requestHead!, _requestHeadLength, _framing, _contentLength, _framing, Worker.Limits);
        RelayState sending = RelayState.NeedsRoom;
        bool serverReads = true;
        bool serverSpoke = false;
        int interims = 0;
        long moved = 0;
        long bodyDeadline = In(Timeouts.Body);
        long answerDeadline = long.MaxValue;
        while (true)
        {
            // 4. Send what can be sent of the request.
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

            // 5. Read what has come of the answer: interim ones are passed on, the first other one is it.
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
                {
                    EndAnswerTime();
                    return (Exchange.Answered, ForwardOutcome.Completed);
                }

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
            {
                answerDeadline = In(Timeouts.Response);
                BeginAnswerTime(); // how long an upload takes is the client's doing
            }

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
            _clientKeepsAlive &= _request.IsFinished && !Listener.EndsConnections && toward != BodyFraming.UntilClose;
            _serverKeepsAlive = head.KeepAlive;
            _isSwitching = head.IsSwitching;
            if (_isSwitching || IsBad(head.Status))
                Judge(isGood: _isSwitching);
        }

        _responseHead ??= Worker.Loop.Buffers.Rent();
        int length = WriteHead(head, _responseHead.Span);
        if (length < 0)
            return false;
        if (!head.IsInterim && Chosen != Scheduler.None && Route.VirtualServer.Sessions is { IsBySource: false } sessions)
            SessionFields.Learn(head, _fromServer.Filled, sessions, Chosen);
        _fromServer.Consume(head.Length);
        _response.Begin(server, _fromServer, Client, _responseHead, length,
            head.IsInterim || head.IsSwitching ? BodyFraming.None : head.Framing, head.ContentLength, toward, Worker.Limits);
        return true;
    }

    // RFC 9110 §15.6: the server knows that it erred. But a method that it does not know (501) and a version that it does not speak (505) are the client's.
    private static bool IsBad(int status) => status >= 500 && status is not (501 or 505);

    private int WriteHead(ResponseHead head, Span<byte> output)
    {
        if (Route.VirtualServer.Cookies is not { } cookies || head.IsInterim || Chosen == Scheduler.None || !cookies.IsNeeded(Claim, Chosen))
            return ResponseWriter.Write(head, _fromServer.Filled, _minorVersion, _clientKeepsAlive, setCookie: [], output);
        Span<byte> line = stackalloc byte[cookies.LineLength];
        cookies.WriteLine(Chosen, line);
        return ResponseWriter.Write(head, _fromServer.Filled, _minorVersion, _clientKeepsAlive, line, output);
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
                return down == RelayState.NeedsRoom || up == RelayState.NeedsInput ? ForwardOutcome.ClientTimedOut : ForwardOutcome.RealServerTimedOut;
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
        return _tunnel.RunAsync(Client, FromClient, Server!.Stream, _fromServer, Timeouts.Tunnel, CountMoved);
    }
}
