using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Roles;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Admin.Tests;

public sealed class HaApiTests : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-ha-").FullName;
    private readonly HttpClient _client;
    private readonly List<string?> _handedOver = [];
    private AdminServer? _server;
    private bool _isAlone;
    private bool _isActive = true;

    public HaApiTests() => _client = new(new SocketsHttpHandler { ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(), ownsSocket: true) })
    { BaseAddress = new("http://bascule"), Timeout = TimeSpan.FromSeconds(10) };

    private string SocketPath => Path.Combine(_folder, "admin.sock");

    public async Task InitializeAsync()
    {
        Socket socket = AdminSocket.Bind(SocketPath, out _)!;
        _server = await AdminServer.StartAsync(socket, new(new("1.2.3", ".NET", "Linux"), () => throw new NotSupportedException(), () => throw new NotSupportedException())
        {
            Ha = () => _isAlone ? null : new(() => Task.FromResult(Status), HandOverAsync),
        }, NullLoggerFactory.Instance);
    }

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Roles_and_reasons_are_words()
    {
        string text = await _client.GetStringAsync("/v1/ha");

        Assert.Contains("\"role\": \"active\"", text, StringComparison.Ordinal);
        Assert.Contains("\"reason\": \"higherPriority\"", text, StringComparison.Ordinal);
        Assert.Equal("director-1", (await _client.GetFromJsonAsync("/v1/ha", ApiJson.Default.HaStatus))!.Node);
    }

    [Fact]
    public async Task A_director_that_is_alone_says_so()
    {
        _isAlone = true;

        using HttpResponseMessage response = await _client.GetAsync("/v1/ha");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("this director is alone", (await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Error);
    }

    [Theory]
    [InlineData("?instance=web", "web")]
    [InlineData("?all=true", null)]
    public async Task A_handover_is_of_one_instance_or_of_all(string query, string? expected)
    {
        using HttpResponseMessage response = await _client.PostAsync($"/v1/handover{query}", null);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([expected], _handedOver);
    }

    [Theory]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("?all=yes", HttpStatusCode.BadRequest)]
    [InlineData("?all=true&instance=web", HttpStatusCode.BadRequest)]
    [InlineData("?instance=nobody", HttpStatusCode.NotFound)]
    public async Task What_does_not_say_clearly_what_to_hand_over_hands_over_nothing(string query, HttpStatusCode expected)
    {
        using HttpResponseMessage response = await _client.PostAsync($"/v1/handover{query}", null);

        Assert.Equal(expected, response.StatusCode);
        Assert.Empty(_handedOver);
    }

    [Fact]
    public async Task A_handover_of_nothing_is_422_and_says_why()
    {
        _isActive = false;

        using HttpResponseMessage response = await _client.PostAsync("/v1/handover?all=true", null);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("why not", Assert.Single((await response.Content.ReadFromJsonAsync(ApiJson.Default.HandoverResult))!.Notes));
    }

    private static HaStatus Status => new()
    {
        Node = "director-1",
        Now = DateTimeOffset.UnixEpoch,
        Peers = [],
        Warnings = [],
        Lateness = new(0, 0, null, 0, false, false),
        Instances =
        [
            new()
            {
                Name = "web",
                Interface = "eth0",
                VirtualRouterId = 1,
                Version = 3,
                Addresses = ["192.0.2.1/32"],
                Role = Role.Active,
                Since = DateTimeOffset.UnixEpoch,
                Reason = TransitionReason.HigherPriority,
                Why = "because",
                ConfiguredPriority = 100,
                Priority = 100,
                Heard = null,
                Tracked = [],
                Counters = new(),
                Transitions = [],
            },
        ],
    };

    private Task<HandoverResult> HandOverAsync(string? instance)
    {
        _handedOver.Add(instance);
        return Task.FromResult(new HandoverResult { HandedOver = _isActive ? ["web"] : [], Notes = _isActive ? [] : ["why not"] });
    }

    private async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }
}
