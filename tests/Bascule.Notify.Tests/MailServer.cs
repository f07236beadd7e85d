using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Testing;

namespace Bascule.Notify.Tests;

/// <summary>A real mail server (Debian's python3-aiosmtpd) on loopback that prints every letter it gets.</summary>
internal sealed class MailServer : IDisposable
{
    private readonly StringBuilder _printed = new();
    private readonly Process _process;

    private MailServer(Process process, int port)
    {
        (_process, Port) = (process, port);
        process.OutputDataReceived += (_, line) => Print(line.Data);
        process.ErrorDataReceived += (_, line) => Print(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }

    /// <summary>All that it printed.</summary>
    public string Letters
    {
        get
        {
            lock (_printed)
                return _printed.ToString();
        }
    }

    public static async Task<MailServer> StartAsync()
    {
        int port = FreePort();
        ProcessStartInfo info = new("aiosmtpd", ["-n", "-l", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Debugging", "stdout"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["PYTHONUNBUFFERED"] = "1";
        MailServer server = new(Process.Start(info)!, port);
        await Eventually.HoldsAsync(() => Accepts(port), "the mail server listens");
        return server;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using Socket free = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)free.LocalEndPoint!).Port;
    }

    private static bool Accepts(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Print(string? line)
    {
        lock (_printed)
            _printed.AppendLine(line);
    }
}
