using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bascule.Testing;

/// <summary>A server program that we did not write, as a process of our own on loopback, in a folder that goes with it. Started once a class.</summary>
public abstract class RealProgram : IAsyncLifetime
{
    private readonly WorkFolder _folder = new();
    private readonly StringBuilder _said = new();
    private Process? _process;

    /// <summary>Where it finds its files.</summary>
    protected string Folder => _folder.Name;

    /// <summary>Where it is to listen.</summary>
    public IPEndPoint Address { get; } = FreeAddress();

    /// <summary>Where it is to listen for its other protocol.</summary>
    public IPEndPoint OtherAddress { get; } = FreeAddress();

    /// <summary>Its port, as text.</summary>
    protected string Port => Address.Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>A loopback address at which nobody listened a moment ago.</summary>
    public static IPEndPoint FreeAddress()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (!IsInstalled)
            return; // its tests are skipped, see RealProgramFact
        _process = Run(await PrepareAsync());
        try
        {
            await Eventually.HoldsAsync(() => _process.HasExited || IsReady(), $"{GetType().Name} listens");
            if (_process.HasExited)
                await _process.WaitForExitAsync(); // and for its last words
            Assert.False(_process.HasExited, $"{GetType().Name} has ended");
        }
        catch (Exception e) when (e is TimeoutException or Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{e.Message}. It said: {Said}", e);
        }
    }

    /// <inheritdoc/>
    public virtual async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Dispose();
    }

    /// <summary>Writes what it needs.</summary>
    /// <returns>The command that starts it, in the foreground.</returns>
    protected abstract Task<string[]> PrepareAsync();

    /// <summary>Whether the program is on this machine.</summary>
    protected abstract bool IsInstalled { get; }

    /// <summary>Whether it can be asked: that it accepts connections, unless there is more to it.</summary>
    protected virtual bool IsReady() => Accepts(Address);

    /// <summary>What it has printed.</summary>
    protected string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    /// <summary>Writes a file in the folder.</summary>
    protected string Write(string name, string text) => _folder.Write(name, text);

    /// <summary>Gives the folder to somebody without privileges, for programs that refuse to run as root.</summary>
    /// <returns>The command that starts another one as that user; nothing where we are not root ourselves.</returns>
    protected string[] AsNobody()
    {
        if (!Environment.IsPrivilegedProcess)
            return [];
        using Process chown = Process.Start("chown", ["-R", "65534:65534", Folder]);
        chown.WaitForExit();
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    }

    /// <summary>Runs a command to its end.</summary>
    protected async Task DoAsync(params string[] command)
    {
        using Process process = Run(command);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)}: {Said}");
    }

    /// <summary>Whether a connection is accepted there.</summary>
    protected static bool Accepts(IPEndPoint address)
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

    private Process Run(string[] command)
    {
        ProcessStartInfo info = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        info.Environment["HOME"] = Folder;
        info.Environment["LC_ALL"] = "C.UTF-8";
        Process process = Process.Start(info)!;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Hear(string? line)
    {
        lock (_said)
            _said.AppendLine(line);
    }
}

/// <summary>A test with a program that we did not write: skipped, with the reason in words, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RealProgramFactAttribute : FactAttribute
{
    /// <param name="package">Debian's package; what of it must be there stands in <see cref="Installed"/>.</param>
    public RealProgramFactAttribute(string package) =>
        Skip = Installed.Find(package) is null ? $"{package} is not installed (eng/needs.sh: group checks)" : null;
}

/// <summary>Where programs are, by Debian's packages.</summary>
internal static class Installed
{
    private static readonly Dictionary<string, string[]> Places = new()
    {
        ["nginx"] = ["/usr/sbin/nginx"],
        ["libnginx-mod-stream"] = ["/usr/lib/nginx/modules/ngx_stream_module.so"],
        ["haproxy"] = ["/usr/sbin/haproxy"],
        ["dnsmasq-base"] = ["/usr/sbin/dnsmasq"],
        ["bind9"] = ["/usr/sbin/named"],
        ["python3-aiosmtpd"] = ["/usr/bin/aiosmtpd"],
        ["redis-server"] = ["/usr/bin/redis-server"],
        ["postgresql"] = [.. Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Reverse().Select(folder => $"{folder}/bin/postgres") : []],
        ["mariadb-server"] = ["/usr/sbin/mariadbd"],
        ["dovecot-imapd"] = ["/usr/sbin/dovecot"],
        ["vsftpd"] = ["/usr/sbin/vsftpd"],
        ["slapd"] = ["/usr/sbin/slapd"],
        ["freeradius"] = ["/usr/sbin/freeradius"],
        ["kamailio"] = ["/usr/sbin/kamailio"],
    };

    /// <summary>The program; null: not installed.</summary>
    public static string? Find(string package) => Places[package].FirstOrDefault(File.Exists);
}
