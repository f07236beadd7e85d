using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bascule.Commands;
using Bascule.Core.Api;
using Bascule.Core.Config;

namespace Bascule.Client;

/// <summary>Asks the running daemon over its admin socket. What goes wrong is said on stderr in a sentence, and the answer is null.</summary>
internal sealed class AdminClient(string socket) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellation) => await ConnectAsync(socket, cancellation),
    })
    {
        BaseAddress = new("http://bascule"), // never resolved: the socket is the address
        Timeout = TimeSpan.FromSeconds(30),
        MaxResponseContentBufferSize = 64 << 20,
    };

    /// <summary>Which socket to ask: the one named, else the one in the file named, else the usual one. Null when that cannot be known.</summary>
    public static string? SocketOf(string? socket, string? file)
    {
        if (socket is not null)
            return socket;
        if (file is null && (File.Exists(Shared.DefaultSocket) || !File.Exists(Shared.DefaultFile)))
            return Shared.DefaultSocket;

        string path = file ?? Shared.DefaultFile;
        CheckedConfiguration read = ConfigurationFile.Load(path);
        if (read.Meant is { } configuration)
            return configuration.AdminSocket;
        CheckCommand.Complain(path, read);
        Console.Error.WriteLine("So the file does not say where the daemon answers; name its socket with -s SOCKET.");
        return null;
    }

    /// <summary>Whether a daemon listens on the socket.</summary>
    public static async Task<bool> IsAnsweredAsync(string socket, CancellationToken cancellation)
    {
        try
        {
            await using Stream connection = await ConnectAsync(socket, cancellation);
            return true;
        }
        catch (SocketException e)
        {
            // A socket that we may not open is answered, and the next step says so.
            return e.SocketErrorCode == SocketError.AccessDenied;
        }
    }

    /// <summary><c>GET /v1/status</c></summary>
    public Task<DirectorStatus?> StatusAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, "/v1/status", ApiJson.Default.DirectorStatus, cancellation);

    /// <summary><c>POST /v1/reload</c>; an answer also when the reload was refused.</summary>
    public Task<ReloadResult?> ReloadAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, "/v1/reload", ApiJson.Default.ReloadResult, cancellation);

    /// <summary><c>GET /v1/sessions</c></summary>
    public async Task<IReadOnlyCollection<SessionCount>?> SessionsAsync(CancellationToken cancellation) =>
        await AskAsync(HttpMethod.Get, "/v1/sessions", ApiJson.Default.SessionCountArray, cancellation);

    /// <summary><c>POST /v1/state</c></summary>
    public Task<StateResult?> SayStateAsync(StateRequest request, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, "/v1/state", ApiJson.Default.StateResult, cancellation, JsonContent.Create(request, ApiJson.Default.StateRequest));

    /// <summary><c>POST /v1/edit</c>; an answer also when the change was refused.</summary>
    public Task<EditResult?> EditAsync(EditRequest request, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, "/v1/edit", ApiJson.Default.EditResult, cancellation, JsonContent.Create(request, ApiJson.Default.EditRequest));

    /// <summary><c>GET /v1/state</c></summary>
    public async Task<IReadOnlyCollection<StateProgress>?> StateAsync(string name, CancellationToken cancellation) =>
        await AskAsync(HttpMethod.Get, $"/v1/state?name={Uri.EscapeDataString(name)}", ApiJson.Default.StateProgressArray, cancellation);

    /// <summary><c>GET /v1/explain</c></summary>
    public Task<Explanation?> ExplainAsync(string packet, string? flags, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, $"/v1/explain?packet={Uri.EscapeDataString(packet)}{(flags is null ? "" : $"&flags={Uri.EscapeDataString(flags)}")}", ApiJson.Default.Explanation, cancellation);

    /// <summary><c>GET /v1/ha</c></summary>
    public Task<HaStatus?> HaAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, "/v1/ha", ApiJson.Default.HaStatus, cancellation);

    /// <summary><c>POST /v1/handover</c>; an answer also when nothing was handed over.</summary>
    /// <param name="instance">Null: all.</param>
    public Task<HandoverResult?> HandOverAsync(string? instance, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"/v1/handover?{(instance is null ? "all=true" : $"instance={Uri.EscapeDataString(instance)}")}", ApiJson.Default.HandoverResult, cancellation);

    /// <summary><c>POST /v1/detach</c></summary>
    public Task<DetachResult?> DetachAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, "/v1/detach", ApiJson.Default.DetachResult, cancellation);

    /// <summary><c>GET /v1/config</c></summary>
    public Task<ConfigurationReport?> ConfigurationAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, "/v1/config", ApiJson.Default.ConfigurationReport, cancellation);

    /// <summary><c>GET /v1/config/diff</c></summary>
    public Task<ConfigurationDifference?> ConfigurationDifferenceAsync(CancellationToken cancellation) =>
        AskAsync(HttpMethod.Get, "/v1/config/diff", ApiJson.Default.ConfigurationDifference, cancellation);

    /// <summary><c>POST /v1/config/take</c>; an answer also when it was refused.</summary>
    public Task<ReloadResult?> TakeAsync(string which, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"/v1/config/take?which={which}", ApiJson.Default.ReloadResult, cancellation);

    /// <summary><c>POST /v1/config/rollback</c>; an answer also when it was refused.</summary>
    public Task<ReloadResult?> RollBackAsync(int number, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"/v1/config/rollback?number={number}", ApiJson.Default.ReloadResult, cancellation);

    /// <summary><c>GET /v1/connections</c>, handed on line by line as they come.</summary>
    /// <returns>Whether all was read; if not, why has been said.</returns>
    public Task<bool> ConnectionsAsync(string query, Action<ConnectionEntry> each, CancellationToken cancellation) =>
        ExchangeAsync(HttpMethod.Get, $"/v1/connections?{query}", HttpCompletionOption.ResponseHeadersRead, async content =>
        {
            using StreamReader lines = new(await content.ReadAsStreamAsync(cancellation));
            while (await lines.ReadLineAsync(cancellation) is { Length: > 0 } line)
                each(JsonSerializer.Deserialize(line, ApiJson.Default.ConnectionEntry) ?? throw new JsonException());
        }, cancellation);

    /// <summary><c>GET /v1/capture</c>, copied as it comes.</summary>
    /// <returns>Whether it ended as it should; if not, why has been said.</returns>
    public Task<bool> CaptureAsync(string query, Func<Stream, Task> copyAsync, CancellationToken cancellation) =>
        ExchangeAsync(HttpMethod.Get, $"/v1/capture?{query}", HttpCompletionOption.ResponseHeadersRead, async content =>
            await copyAsync(await content.ReadAsStreamAsync(cancellation)), cancellation);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<T?> AskAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellation, HttpContent? body = null)
        where T : class
    {
        T? answer = null;
        bool isAnswered = await ExchangeAsync(method, path, HttpCompletionOption.ResponseContentRead,
            async content => answer = await content.ReadFromJsonAsync(type, cancellation), cancellation, body);
        return isAnswered ? answer : null;
    }

    private async Task<bool> ExchangeAsync(HttpMethod method, string path, HttpCompletionOption completion, Func<HttpContent, Task> readAsync, CancellationToken cancellation,
        HttpContent? body = null)
    {
        try
        {
            using HttpRequestMessage request = new(method, path) { Content = body };
            using HttpResponseMessage response = await _http.SendAsync(request, completion, cancellation);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity)
            {
                await readAsync(response.Content);
                return true;
            }

            Console.Error.WriteLine(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.RequestEntityTooLarge
                && await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError, cancellation) is { } refusal
                    ? $"The daemon on {socket} says: {refusal.Error} ({refusal.Hint})"
                    : $"The daemon on {socket} answered {method} {path} with status {(int)response.StatusCode}. Look at its log.");
        }
        catch (HttpRequestException e)
        {
            Console.Error.WriteLine(Sentence(e));
        }
        catch (HttpIOException e)
        {
            Console.Error.WriteLine($"The daemon on {socket} broke off: {e.Message}");
        }
        catch (JsonException)
        {
            Console.Error.WriteLine($"What answers on {socket} is not a Bascule of this version. Is it another program's socket?");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Console.Error.WriteLine($"The daemon on {socket} did not answer within {_http.Timeout.TotalSeconds} s. Look at its log.");
        }

        return false;
    }

    private string Sentence(HttpRequestException problem) => (problem.InnerException as SocketException)?.SocketErrorCode switch
    {
        SocketError.AccessDenied => $"You may not open {socket}. Be root, or a member of the group that owns it (ls -l {socket}).",
        null => $"The daemon on {socket} broke off: {problem.Message}",
        _ => $"No daemon answers on {socket}. Start one with `bascule run`, or say where it answers with -s SOCKET or -c FILE.",
    };

    private static async Task<Stream> ConnectAsync(string socket, CancellationToken cancellation)
    {
        Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
            return new NetworkStream(connection, ownsSocket: true);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
