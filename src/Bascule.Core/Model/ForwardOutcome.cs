namespace Bascule.Core.Model;

/// <summary>How a TCP connection, an HTTP request or a UDP session ended, or what became of a datagram that could not be forwarded, named after who decided it. Each is a counter.</summary>
public enum ForwardOutcome
{
    /// <summary>Forwarded, and answered by a real server (whatever its status). UDP: forwarded, whether anything was answered or not.</summary>
    Completed,

    /// <summary>Forwarded to the sorry server, and answered by it.</summary>
    CompletedBySorryServer,

    /// <summary>The client closed or reset before the answer was complete.</summary>
    ClientLeft,

    /// <summary>Bytes that are not a request we can understand in only one way. 400.</summary>
    ClientSentBadRequest,

    /// <summary>The request line is longer than <see cref="Limits.RequestLineSize"/>. 414.</summary>
    ClientSentLongRequestLine,

    /// <summary>The head is larger than <see cref="Limits.HeaderSize"/> or has too many fields. 431.</summary>
    ClientSentLargeHead,

    /// <summary>A version or transfer coding we do not speak. 505 or 501.</summary>
    ClientSentUnsupported,

    /// <summary>The client took too long to send its request. 408.</summary>
    ClientTimedOut,

    /// <summary>A peer whose connections must begin with a header of the PROXY protocol sent none, a broken one, or none in time. Closed without an answer.</summary>
    ClientSentNoProxyHeader,

    /// <summary>No real server can take a connection, and there is no sorry server. 503.</summary>
    NoRealServer,

    /// <summary>Every real server that was tried refused the connection or could not be reached. 502.</summary>
    RealServerRefused,

    /// <summary>It did not accept in time, or did not answer in time. 504.</summary>
    RealServerTimedOut,

    /// <summary>It closed or reset before its answer was complete. 502, or a closed connection once the answer has begun.</summary>
    RealServerBrokeOff,

    /// <summary>It sent bytes that are not a response. 502.</summary>
    RealServerSentBadResponse,

    /// <summary>UDP: longer than a datagram may be on the other side (IPv6 carries twenty bytes more than IPv4). Dropped.</summary>
    DatagramTooLarge,

    /// <summary>UDP: the kernel had no room for it, or did not let it out. Dropped.</summary>
    DatagramNotSent,

    /// <summary>The worker holds as many connections as it may. 503. UDP: the session that was idle longest was ended for another; with none, the datagram was dropped.</summary>
    WorkerFull,

    /// <summary>Cut off at the end of <see cref="Configuration.ShutdownTimeout"/>.</summary>
    ShutDown,
}
