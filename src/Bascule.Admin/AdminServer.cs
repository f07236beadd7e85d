using System.Collections.Immutable;
using System.Net.Sockets;
using Bascule.Core.Api;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bascule.Admin;

/// <summary>The API on the admin socket. Kestrel alone, without a host: no configuration of its own that could open anything else.</summary>
public sealed class AdminServer : IAsyncDisposable
{
    /// <summary>Bytes of the body of a request: a virtual server with all its real servers.</summary>
    internal const int LargestBody = 64 * 1024;

    private readonly KestrelServer _server;

    private AdminServer(KestrelServer server) => _server = server;

    /// <summary>Answers on the socket until disposed, which also removes the socket's file.</summary>
    /// <param name="socket">Bound by <see cref="AdminSocket.Bind"/>; the server owns it from here on.</param>
    /// <param name="director">What the answers come from.</param>
    public static async Task<AdminServer> StartAsync(Socket socket, DirectorAnswers director, ILoggerFactory loggers)
    {
        string path = socket.LocalEndPoint!.ToString()!;
        KestrelServerOptions options = new() { AddServerHeader = false };
        options.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http1);
        Restrain(options.Limits);
        SocketTransportOptions transport = new() { CreateBoundListenSocket = _ => socket };
        KestrelServer server = new(Options.Create(options), new SocketTransportFactory(Options.Create(transport), loggers), loggers);
        await server.StartAsync(new AdminApi(director), CancellationToken.None);
        return new(server);
    }

    // A handful of people and scripts ask small questions. Whoever is slow or large is cut off, so that nobody can keep others out.
    private static void Restrain(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = 64;
        limits.MaxRequestLineSize = 2048;
        limits.MaxRequestHeadersTotalSize = 8192;
        limits.MaxRequestHeaderCount = 32;
        limits.MaxRequestBodySize = LargestBody;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(1));
        await _server.StopAsync(patience.Token);
        _server.Dispose();
    }
}

/// <summary>What the API answers with; the daemon behind it fills it in.</summary>
/// <param name="Version">Answers <c>GET /v1/version</c>.</param>
/// <param name="Status">Answers <c>GET /v1/status</c>.</param>
/// <param name="Reload">Reads the configuration again and answers <c>POST /v1/reload</c>.</param>
public sealed record DirectorAnswers(VersionInfo Version, Func<DirectorStatus> Status, Func<Task<ReloadResult>> Reload)
{
    /// <summary>How many clients are remembered for each real server of the proxy's virtual servers with persistence.</summary>
    public Func<ImmutableArray<SessionCount>> Sessions { get; init; } = () => [];

    /// <summary>What answers about operators' states.</summary>
    public StateAnswers States { get; init; } = StateAnswers.None;

    /// <summary>Changes the configuration.</summary>
    public Func<EditRequest, Task<EditResult>> Edit { get; init; } = _ => throw new NotSupportedException();

    /// <summary>What answers about the packet datapath, at this moment; null while there is none.</summary>
    public Func<PacketAnswers?> Packets { get; init; } = () => null;

    /// <summary>What answers about failover; null where this director is alone.</summary>
    public Func<HaAnswers?> Ha { get; init; } = () => null;

    /// <summary>What answers about the shared configuration; null while none is shared.</summary>
    public Func<ConfigurationAnswers?> Configuration { get; init; } = () => null;
}
