using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bascule.Testing;

namespace Bascule.Health.Tests.Peers;

/// <summary>A server program we did not write, as a private process with a folder of its own, until it is disposed.</summary>
internal sealed class RealProgram : IAsyncDisposable
{
    private Process? _process;

    /// <summary>For its configuration, data and logs.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("bascule-peer-").FullName;

    /// <summary>A loopback address at which nobody listened a moment ago.</summary>
    public static IPEndPoint FreeAddress(SocketType type = SocketType.Stream)
    {
        using Socket socket = new(AddressFamily.InterNetwork, type, ProtocolType.Unspecified);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>Writes a file into its folder.</summary>
    /// <returns>The whole path.</returns>
    public string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Starts it, and waits until it is ready.</summary>
    /// <param name="isReady">Asked again and again.</param>
    public async Task StartAsync(string program, IEnumerable<string> arguments, Func<bool> isReady)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        Process process = _process = Process.Start(info)!;
        Task<string> written = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await Eventually.HoldsAsync(() => process.HasExited || isReady(), $"{program} is ready");
        if (process.HasExited)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await written}{await errors}");
    }

    /// <summary>Whether somebody accepts connections there.</summary>
    public static bool Accepts(IPEndPoint address)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }
}
