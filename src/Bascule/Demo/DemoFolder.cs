using Bascule.Core.Config;
using Bascule.Core.Model;

namespace Bascule.Demo;

/// <summary>A private folder for the demo's configuration file and admin socket; gone with it.</summary>
internal sealed class DemoFolder : IDisposable
{
    /// <summary>Name of the HTTP virtual server.</summary>
    public const string Http = "web";

    /// <summary>Name of the TCP virtual server.</summary>
    public const string Tcp = "relay";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bascule-demo-"); // mode 0700

    /// <summary>The configuration file.</summary>
    public string File => Path.Combine(_folder.FullName, "bascule.yaml");

    /// <summary>The admin socket.</summary>
    public string Socket => Path.Combine(_folder.FullName, "admin.sock");

    /// <summary>Writes the file an operator would write, and reads it as the daemon does.</summary>
    /// <param name="text">Of the file.</param>
    public Configuration Write(int port, IReadOnlyList<DemoServerProcess> servers, out string text)
    {
        string realServers = string.Join(", ", servers.Select(s => s.Address));
        text = $$"""
            # Written by `bascule demo`. Change something, then reload.
            workers: 2
            admin: { socket: {{Socket}} }
            stateFile: {{_folder.FullName}}/state.json
            shutdownTimeout: 2s
            limits: { connectionsPerWorker: 1000 }
            virtualServers:
              {{Http}}:
                address: 127.0.0.1:{{port}}
                protocol: http
                scheduler: rr
                check: { type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }
                realServers: [{{realServers}}]
              {{Tcp}}:
                address: 127.0.0.1:{{port + 1}}
                protocol: tcp
                scheduler: rr
                check: { type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }
                realServers: [{{realServers}}]

            """;
        System.IO.File.WriteAllText(File, text);
        CheckedConfiguration read = ConfigurationFile.Load(File);
        return read.Meant
            ?? throw new InvalidOperationException($"the demo's own file is wrong: {string.Join("; ", read.Problems.Select(p => p.Format(File)))}");
    }

    /// <summary>Deletes it; a second call does nothing.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_folder.FullName))
            _folder.Delete(recursive: true);
    }
}
