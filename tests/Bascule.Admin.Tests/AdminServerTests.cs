using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Admin.Tests;

public sealed class AdminServerTests : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-admin-").FullName;
    private readonly HttpClient _client;
    private AdminServer? _server;
    private int _reloads;
    private bool _reloadWorks = true;
    private string? _by;

    public AdminServerTests() => _client = new(new SocketsHttpHandler { ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(), ownsSocket: true) })
    { BaseAddress = new("http://bascule"), Timeout = TimeSpan.FromSeconds(10) };

    private string SocketPath => Path.Combine(_folder, "run", "admin.sock");

    public async Task InitializeAsync() =>
        _server = await AdminServer.StartAsync(Bound(SocketPath), new(new("1.2.3", ".NET", "Linux"), Status, ReloadAsync)
        {
            States = new(Say, _ => ([], null)),
            Edit = EditAsync,
        }, NullLoggerFactory.Instance);

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Status_is_what_the_director_says()
    {
        DirectorStatus? status = await _client.GetFromJsonAsync("/v1/status", ApiJson.Default.DirectorStatus);

        Assert.Equal((4711, "1.2.3"), (status!.ProcessId, status.Version));
    }

    [Fact]
    public async Task Version_is_what_the_director_says() =>
        Assert.Equal(new("1.2.3", ".NET", "Linux"), await _client.GetFromJsonAsync("/v1/version", ApiJson.Default.VersionInfo));

    [Fact]
    public async Task A_reload_that_was_applied_is_200()
    {
        using HttpResponseMessage response = await _client.PostAsync("/v1/reload", null);

        Assert.Equal((HttpStatusCode.OK, 1), (response.StatusCode, _reloads));
    }

    [Fact]
    public async Task A_reload_that_was_refused_is_422_and_says_why()
    {
        _reloadWorks = false;

        using HttpResponseMessage response = await _client.PostAsync("/v1/reload", null);
        ReloadResult? result = await response.Content.ReadFromJsonAsync(ApiJson.Default.ReloadResult);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("bascule.yaml:3:5: no", Assert.Single(result!.Problems));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v1/status/")]
    [InlineData("/v1/STATUS")]
    [InlineData("/v2/status")]
    public async Task An_unknown_path_is_404_and_says_what_there_is(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        ApiError? error = await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("GET /v1/status", error!.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_by_GET_is_405_and_does_nothing()
    {
        using HttpResponseMessage response = await _client.GetAsync("/v1/reload");

        Assert.Equal((HttpStatusCode.MethodNotAllowed, 0), (response.StatusCode, _reloads));
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_request_with_a_large_head_is_refused_and_others_go_on()
    {
        string answer = await SendAsync($"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: {new string('x', 10_000)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
        using HttpResponseMessage next = await _client.GetAsync("/v1/status");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task A_client_that_never_finishes_its_request_is_cut_off()
    {
        using Socket slow = await ConnectAsync();
        await slow.SendAsync("GET /v1/status HTTP/1.1\r\nHost: x\r\n"u8.ToArray());
        slow.ReceiveTimeout = 20_000; // it takes five seconds

        using StreamReader reader = new(new NetworkStream(slow));
        Assert.StartsWith("HTTP/1.1 408", reader.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_no_request_get_400()
    {
        Assert.StartsWith("HTTP/1.1 400", await SendAsync("\u0001\u0002\u0003 what?\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state", """{ "names": ["web"], "state": "drain", "by": null }""")]
    [InlineData("state", """{ "names": ["web", null], "state": "drain" }""")]
    [InlineData("state", """{ "names": null, "state": "drain" }""")]
    [InlineData("state", """{ "state": "drain" }""")]
    [InlineData("state", """{ "names": ["web"] }""")]
    [InlineData("edit", """{ "save": true, "by": null }""")]
    [InlineData("edit", """{ "change": { "name": "web" } }""")]
    [InlineData("edit", """{ "change": { "kind": "edit", "name": null } }""")]
    [InlineData("edit", """{ "change": { "kind": "edit", "name": "web", "settings": null } }""")]
    [InlineData("edit", """{ "change": { "kind": "edit", "name": "web", "settings": [null] } }""")]
    [InlineData("edit", """{ "change": { "kind": "edit", "name": "web", "settings": [{ "value": "1" }] } }""")]
    public async Task A_body_with_null_or_nothing_where_something_must_be_is_refused_with_a_sentence(string what, string body)
    {
        using HttpResponseMessage response = await _client.PostAsync($"/v1/{what}", new StringContent(body));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.NotEmpty((await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Error);
    }

    [Theory]
    [InlineData("state", """{ "names": ["web"], "state": "drain" }""")]
    [InlineData("edit", """{ "save": true }""")]
    [InlineData("edit", """{ "change": { "kind": "delete", "name": "web" } }""")]
    public async Task What_may_be_left_out_of_a_body_is_empty(string what, string body)
    {
        using HttpResponseMessage response = await _client.PostAsync($"/v1/{what}", new StringContent(body));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("", _by);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_with_a_sentence()
    {
        using HttpResponseMessage response = await _client.PostAsync("/v1/state", new StringContent(new string(' ', AdminServer.LargestBody + 1)));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("send 65536 bytes at most", (await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Hint);
    }

    [Fact]
    public void The_socket_belongs_to_its_owner_and_group_alone_and_so_does_its_new_folder()
    {
        Assert.Equal("rw-rw----", Mode(SocketPath));
        Assert.Equal("rwxr-x---", Mode(Path.GetDirectoryName(SocketPath)!));
    }

    [Fact]
    public async Task Stopping_removes_the_socket_file()
    {
        await _server!.DisposeAsync();

        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public void A_socket_on_which_a_daemon_answers_is_not_taken_away_from_it()
    {
        Assert.Null(AdminSocket.Bind(SocketPath, out AdminProblem? problem));

        Assert.Contains("another daemon answers", problem!.What, StringComparison.Ordinal);
        Assert.True(File.Exists(SocketPath));
    }

    [Fact]
    public void The_socket_file_of_a_dead_daemon_is_replaced()
    {
        string path = Path.Combine(_folder, "stale.sock");
        using Socket stale = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stale.Bind(new UnixDomainSocketEndPoint(path)); // bound and never listening: connections are refused, as with a dead owner

        using Socket socket = Bound(path);

        Assert.Equal("rw-rw----", Mode(path));
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        string path = Path.Combine(_folder, "precious.txt");
        File.WriteAllText(path, "precious");

        Assert.Null(AdminSocket.Bind(path, out AdminProblem? problem));

        Assert.Contains("no socket", problem!.What, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Fact]
    public void A_path_that_does_not_fit_a_socket_address_is_a_problem_and_not_an_exception()
    {
        Assert.Null(AdminSocket.Bind(Path.Combine(_folder, new string('x', 108)), out AdminProblem? problem));

        Assert.Contains("longer than 107 bytes", problem!.What, StringComparison.Ordinal);
    }

    private static Socket Bound(string path)
    {
        Socket? socket = AdminSocket.Bind(path, out AdminProblem? problem);
        Assert.Null(problem);
        return socket!;
    }

    private static DirectorStatus Status() => new()
    {
        Version = "1.2.3",
        ProcessId = 4711,
        ConfigurationFile = "/etc/bascule/bascule.yaml",
        StartedAt = DateTimeOffset.UnixEpoch,
        Now = DateTimeOffset.UnixEpoch,
        Workers = 1,
        Snapshot = 1,
        Packets = null,
        VirtualServers = [],
    };

    private (StateResult?, ApiError?) Say(StateRequest request)
    {
        _by = request.By.Trim() + request.Why.Trim();
        return (new([], []), null);
    }

    private async Task<EditResult> EditAsync(EditRequest request)
    {
        _by = request.By.Trim() + string.Concat(request.Change?.Settings.Select(s => s.Name) ?? []);
        return new(await ReloadAsync(), [], IsSaved: false);
    }

    private Task<ReloadResult> ReloadAsync()
    {
        _reloads++;
        return Task.FromResult(new ReloadResult
        {
            Applied = _reloadWorks,
            Snapshot = 2,
            Problems = _reloadWorks ? [] : ["bascule.yaml:3:5: no"],
            Warnings = [],
            Added = [],
            Removed = [],
            Changed = [],
            Kept = [],
        });
    }

    private async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    private async Task<string> SendAsync(string request)
    {
        using Socket socket = await ConnectAsync();
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        using StreamReader reader = new(new NetworkStream(socket));
        return await reader.ReadLineAsync() ?? "";
    }

    private static string Mode(string path)
    {
        UnixFileMode mode = File.GetUnixFileMode(path);
        return string.Concat(Enumerable.Range(0, 9).Select(i => ((int)mode & (256 >> i)) != 0 ? "rwx"[i % 3] : '-'));
    }
}
