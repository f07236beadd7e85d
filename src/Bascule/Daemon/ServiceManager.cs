using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Daemon;

/// <summary>Tells systemd (Type=notify or notify-reload) how far the daemon is. sd_notify(3). Without systemd it does nothing.</summary>
internal static class ServiceManager
{
    /// <summary>Everything is open and started, or a reload has ended.</summary>
    public static void Ready() => Notify("READY=1");

    /// <summary>A reload begins. The time is that of CLOCK_MONOTONIC, which the system's TimeProvider reads, too.</summary>
    public static void Reloading(TimeProvider time)
    {
        long microseconds = (long)(time.GetTimestamp() * (1_000_000.0 / time.TimestampFrequency));
        Notify(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// <summary>The daemon drains.</summary>
    public static void Stopping() => Notify("STOPPING=1");

    private static void Notify(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
            return;
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            // '@' stands for the zero byte of an abstract address.
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException)
        {
            // systemd went away or never was there: no reason to stop balancing.
        }
    }
}
