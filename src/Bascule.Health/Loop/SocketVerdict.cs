using Bascule.Linux;

namespace Bascule.Health.Loop;

/// <summary>What it says about the real server that a socket failed.</summary>
internal static class SocketVerdict
{
    /// <summary>The verdict on an error of a socket.</summary>
    public static Verdict On(Errno error) => error switch
    {
        Errno.ConnectionRefused => Verdict.Failed("connection refused"),
        Errno.ConnectionReset => Verdict.Failed("connection reset"),
        Errno.BrokenPipe => Verdict.Failed("connection reset"), // before we had written everything
        Errno.HostUnreachable => Verdict.Failed("no route to host"),
        Errno.NetworkUnreachable => Verdict.Failed("network unreachable"),
        Errno.TooManyFiles or Errno.TooManyFilesInSystem => Verdict.NotAsked("this director has no file descriptor left"),
        Errno.AddressNotAvailable or Errno.AddressInUse or Errno.WouldBlock => Verdict.NotAsked("this director has no free port left"),
        Errno.NotPermitted or Errno.AccessDenied => Verdict.NotAsked("this machine does not let this director ask: a capability is missing, or a firewall here forbids it"),
        _ when error.IsOurs() => Verdict.NotAsked("this director has no memory left for a connection"),
        _ => Verdict.Failed(error.Words()),
    };
}
