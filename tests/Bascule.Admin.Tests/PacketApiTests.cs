using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Bascule.Core.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Admin.Tests;

public sealed class PacketApiTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-admin-").FullName;
    private readonly FakeDatapath _datapath = new();
    private readonly HttpClient _client;
    private AdminServer? _server;
    private bool _hasDatapath = true;

    public PacketApiTests() => _client = new(new SocketsHttpHandler { ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(), ownsSocket: true) })
    { BaseAddress = new("http://bascule"), Timeout = Patience };

    private string SocketPath => Path.Combine(_folder, "admin.sock");

    public async Task InitializeAsync() => _server = await AdminServer.StartAsync(AdminSocket.Bind(SocketPath, out _)!,
        new(new("1", "2", "3"), () => throw new InvalidOperationException(), () => throw new InvalidOperationException()) { Packets = () => _hasDatapath ? _datapath.Answers : null, Sessions = () => [new("shop", "10.0.0.21:80", 9)] },
        NullLoggerFactory.Instance);

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Connections_are_an_object_a_line_and_no_more_than_asked_for()
    {
        _datapath.Flows = 5000;

        string[] lines = (await _client.GetStringAsync("/v1/connections?virtualServer=web&realServer=10.0.0.11:80&most=2500")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(2500, lines.Length);
        Assert.All(lines, line => Assert.Equal("web", JsonSerializer.Deserialize(line, ApiJson.Default.ConnectionEntry)!.VirtualServer));
        Assert.Equal(new("web", new(IPAddress.Parse("10.0.0.11"), 80), 2500), _datapath.AskedConnections);
    }

    [Fact]
    public async Task A_million_connections_are_streamed_and_not_gathered()
    {
        _datapath.Flows = 1_000_000;
        long before = GC.GetTotalMemory(forceFullCollection: true);

        using HttpResponseMessage response = await _client.GetAsync("/v1/connections?most=1000000", HttpCompletionOption.ResponseHeadersRead);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
        int lines = 0;
        while (await reader.ReadLineAsync() is not null)
            lines++;

        Assert.Equal(1_000_000, lines);
        Assert.True(GC.GetTotalMemory(forceFullCollection: true) - before < 16 << 20);
    }

    [Fact]
    public async Task Sessions_are_those_of_proxy_and_datapath_and_explanations_what_the_engine_says()
    {
        SessionCount[]? sessions = await _client.GetFromJsonAsync("/v1/sessions", ApiJson.Default.SessionCountArray);
        Explanation? explanation = await _client.GetFromJsonAsync("/v1/explain?packet=tcp%20198.51.100.7:4242%20>%20192.0.2.10:80&flags=syn,ack", ApiJson.Default.Explanation);

        Assert.Equal([new("shop", "10.0.0.21:80", 9), new("web", "10.0.0.11:80", 3)], sessions!);
        Assert.Equal(("tcp 198.51.100.7:4242 > 192.0.2.10:80 [syn, ack]", ChoiceReason.Table, PacketVerdict.Sent, 54), (explanation!.Packet, explanation.Reason, explanation.Verdict, explanation.Frame!.Length));
    }

    [Fact]
    public async Task A_capture_ends_after_its_packets_each_with_its_way_in_and_out()
    {
        _datapath.Captured = 10;

        byte[] file = await _client.GetByteArrayAsync("/v1/capture?virtualServer=web&count=3&oneIn=5&bytes=128");

        Assert.Equal([0x0A0D0D0A, 1, 6, 6, 6, 6, 6, 6], Types(file));
        Assert.Equal(new("web", 5, 128), _datapath.AskedCapture);
        await _datapath.CaptureEnded.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_capture_ends_with_its_time()
    {
        _datapath.Captured = 1;

        byte[] file = await _client.GetByteArrayAsync("/v1/capture?virtualServer=web&seconds=1");

        Assert.Equal([0x0A0D0D0A, 1, 6, 6], Types(file));
    }

    [Fact]
    public async Task A_capture_ends_when_its_reader_goes_away()
    {
        using (HttpResponseMessage response = await _client.GetAsync("/v1/capture?virtualServer=web", HttpCompletionOption.ResponseHeadersRead))
            Assert.Equal("application/x-pcapng", response.Content.Headers.ContentType!.MediaType);

        await _datapath.CaptureEnded.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_second_capture_is_409()
    {
        _datapath.IsCapturing = true;

        Assert.Equal((HttpStatusCode.Conflict, "another capture is running"), await ErrorAsync("/v1/capture?virtualServer=web"));
    }

    [Fact]
    public async Task Detach_is_only_a_POST()
    {
        using HttpResponseMessage asked = await _client.GetAsync("/v1/detach");
        using HttpResponseMessage done = await _client.PostAsync("/v1/detach", null);
        DetachResult? result = await done.Content.ReadFromJsonAsync(ApiJson.Default.DetachResult);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "eth0"), (asked.StatusCode, Assert.Single(result!.Interfaces)));
    }

    [Theory]
    [InlineData("/v1/connections?most=0", HttpStatusCode.BadRequest, "most=0 is not a number from 1 to 100000000")]
    [InlineData("/v1/connections?most=many", HttpStatusCode.BadRequest, "most=many is not a number from 1 to 100000000")]
    [InlineData("/v1/connections?realServer=web", HttpStatusCode.BadRequest, "realServer is not an address with a port: web")]
    [InlineData("/v1/connections?virtualServer=shop", HttpStatusCode.NotFound, "there is no virtual server shop on the packet datapath")]
    [InlineData("/v1/explain", HttpStatusCode.BadRequest, "a packet is written as PROTOCOL SOURCE > DESTINATION, such as \"tcp 198.51.100.7:4242 > 192.0.2.10:80\"")]
    [InlineData("/v1/capture", HttpStatusCode.BadRequest, "no virtual server is named")]
    [InlineData("/v1/capture?virtualServer=shop", HttpStatusCode.NotFound, "there is no virtual server shop on the packet datapath")]
    [InlineData("/v1/capture?virtualServer=web&count=0", HttpStatusCode.BadRequest, "count=0 is not a number from 1 to 2147483647")]
    [InlineData("/v1/capture?virtualServer=web&seconds=86401", HttpStatusCode.BadRequest, "seconds=86401 is not a number from 1 to 86400")]
    [InlineData("/v1/capture?virtualServer=web&oneIn=-1", HttpStatusCode.BadRequest, "oneIn=-1 is not a number from 1 to 2147483647")]
    [InlineData("/v1/capture?virtualServer=web&bytes=9000", HttpStatusCode.BadRequest, "bytes=9000 is not a number from 14 to 2048")]
    public async Task A_question_that_makes_no_sense_is_refused_with_what_is_wrong(string path, HttpStatusCode status, string error) =>
        Assert.Equal((status, error), await ErrorAsync(path));

    [Theory]
    [InlineData("/v1/connections")]
    [InlineData("/v1/explain?packet=x")]
    [InlineData("/v1/capture?virtualServer=web")]
    public async Task A_director_without_datapath_says_so(string path)
    {
        _hasDatapath = false;

        Assert.Equal((HttpStatusCode.NotFound, "this director has no packet datapath"), await ErrorAsync(path));
    }

    private async Task<(HttpStatusCode, string)> ErrorAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        ApiError? error = await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiError);
        Assert.NotEmpty(error!.Hint);
        return (response.StatusCode, error.Error);
    }

    private static List<int> Types(byte[] file)
    {
        List<int> types = [];
        for (int at = 0; at < file.Length; at += BitConverter.ToInt32(file, at + 4))
            types.Add(BitConverter.ToInt32(file, at));
        return types;
    }

    private async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }
}
