using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Replication.Tests;

/// <summary>Whole engines over loopback: sockets, threads and the real clock.</summary>
public sealed class EngineTests : IAsyncDisposable
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly List<IAsyncDisposable> _open = [];
    private readonly FakeState _a = new("numbers");
    private readonly FakeState _b = new("numbers");

    [Fact]
    public async Task Two_directors_find_each_other_and_state_follows_both_ways()
    {
        _a.Set(1, 1);
        _b.Set(2, 2);
        ReplicationEngine b = await ListenAsync();
        ReplicationEngine a = Dial(b.ListensAt!);

        await Eventually.HoldsAsync(() => IsInStep(a, "b") && IsInStep(b, "a"));
        _a.Set(3, 3);
        _b.Set(4, 4);

        await Eventually.HoldsAsync(() => _a.Values.Length == 4 && _b.Values.Length == 4);
    }

    [Fact]
    public async Task A_question_gets_the_peers_answer()
    {
        ReplicationEngine b = await ListenAsync(answer: (peer, question) => Task.FromResult<byte[]>([.. question, (byte)peer[0]]));
        ReplicationEngine a = Dial(b.ListensAt!);
        await Eventually.HoldsAsync(() => IsInStep(a, "b"));

        Assert.Equal([1, 2, (byte)'a'], await a.AskAsync("b", [1, 2], TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_question_to_a_peer_that_is_not_there_gets_none_at_once()
    {
        ReplicationEngine b = await ListenAsync();

        Assert.Null(await b.AskAsync("a", [1], TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task A_director_that_comes_back_gets_everything_again()
    {
        await using Relay relay = new();
        ReplicationEngine b = await ListenAsync();
        relay.To = b.ListensAt!;
        ReplicationEngine a = Dial(relay.At);
        await Eventually.HoldsAsync(() => IsInStep(a, "b"));

        relay.Cut();
        await Eventually.HoldsAsync(() => a.Status("b") is { IsConnected: false });
        _a.Set(5, 5);

        await Eventually.HoldsAsync(() => IsInStep(a, "b") && _b.Values.Contains((5, 5)));
    }

    [Fact]
    public async Task The_second_address_is_tried_when_the_first_does_not_answer()
    {
        ReplicationEngine b = await ListenAsync();
        using Socket nobody = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        ReplicationEngine a = Dial((IPEndPoint)nobody.LocalEndPoint!, b.ListensAt!);

        await Eventually.HoldsAsync(() => IsInStep(a, "b"));
    }

    [Fact]
    public async Task A_director_with_another_key_stays_outside_and_is_counted_on_both_sides()
    {
        ReplicationEngine b = await ListenAsync();
        ReplicationEngine a = Start("a", new ReplicationPeer("b", [b.ListensAt!], [.. Key.Reverse()]), _a);

        await Eventually.HoldsAsync(() => b.Status("a")!.Rejected.GetValueOrDefault("wrongKey") > 0);

        Assert.False(b.Status("a")!.IsConnected);
        await Eventually.HoldsAsync(() => a.Status("b")!.WhyNot!.Contains("key", StringComparison.Ordinal));
        Assert.Contains("key", b.Status("a")!.WhyNot, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_gets_not_a_byte()
    {
        ReplicationEngine b = await ListenAsync(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 1));
        using Socket stranger = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await stranger.ConnectAsync(b.ListensAt!);

        Assert.Equal(0, await ReceiveAsync(stranger));

        Assert.Equal(1, b.Rejected(Rejection.Stranger));
    }

    [Fact]
    public async Task Noise_instead_of_a_handshake_gets_not_a_byte()
    {
        ReplicationEngine b = await ListenAsync();
        using Socket noise = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await noise.ConnectAsync(b.ListensAt!);
        await noise.SendAsync(new byte[134]);

        Assert.Equal(0, await ReceiveAsync(noise));

        Assert.Equal(1, b.Status("a")!.Rejected["notOurs"]);
    }

    [Fact]
    public async Task Who_opens_connections_and_says_nothing_does_not_keep_the_peer_out()
    {
        ReplicationEngine b = await ListenAsync();
        List<Socket> silent = [];
        for (int i = 0; i < 20; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(b.ListensAt!);
            silent.Add(socket);
        }

        await Eventually.HoldsAsync(() => b.Rejected(Rejection.TooMany) == 12);
        ReplicationEngine a = Dial(b.ListensAt!);

        await Eventually.HoldsAsync(() => IsInStep(a, "b"), "the silent ones have had their time, and the peer is in");
        silent.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task A_bit_that_turns_on_the_way_ends_the_connection_and_the_next_one_carries_on()
    {
        await using Relay relay = new();
        ReplicationEngine b = await ListenAsync();
        relay.To = b.ListensAt!;
        ReplicationEngine a = Dial(relay.At);
        await Eventually.HoldsAsync(() => IsInStep(a, "b"));

        relay.TurnABit();
        _a.Set(6, 6);

        await Eventually.HoldsAsync(() => b.Status("a")!.Rejected.GetValueOrDefault("badRecord") == 1);
        await Eventually.HoldsAsync(() => _b.Values.Contains((6, 6)));
    }

    [Fact]
    public async Task A_newer_authentic_connection_takes_the_place_of_the_old()
    {
        ReplicationEngine b = await ListenAsync();
        ReplicationEngine first = Dial(b.ListensAt!);
        await Eventually.HoldsAsync(() => IsInStep(first, "b"));

        FakeState ofSecond = new("numbers");
        ofSecond.Set(8, 8);
        Start("a", new ReplicationPeer("b", [b.ListensAt!], Key), ofSecond);

        await Eventually.HoldsAsync(() => _b.Values.Contains((8, 8)));
    }

    [Fact]
    public async Task A_peer_that_falls_silent_is_left_and_the_connection_opened_again()
    {
        await using Relay relay = new();
        ReplicationEngine b = await ListenAsync();
        relay.To = b.ListensAt!;
        ReplicationEngine a = Dial(relay.At);
        await Eventually.HoldsAsync(() => IsInStep(a, "b"));

        relay.SwallowEverything();
        await Eventually.HoldsAsync(() => a.Status("b") is { IsConnected: false });
        _a.Set(9, 9);

        await Eventually.HoldsAsync(() => _b.Values.Contains((9, 9)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable engine in _open)
            await engine.DisposeAsync();
    }

    private static bool IsInStep(ReplicationEngine engine, string peer) =>
        engine.Status(peer) is { IsConnected: true, Streams: [StreamStatus { IsInStep: true }] };

    private static async Task<int> ReceiveAsync(Socket socket) => await socket.ReceiveAsync(new byte[1000]).WaitAsync(TimeSpan.FromSeconds(20));

    private async Task<ReplicationEngine> ListenAsync(IPEndPoint? peer = null, Func<string, byte[], Task<byte[]>>? answer = null)
    {
        ReplicationEngine engine = Start("b", new ReplicationPeer("a", [peer ?? new(IPAddress.Loopback, 1)], Key), _b, answer);
        await Eventually.HoldsAsync(() => engine.ListensAt is not null);
        return engine;
    }

    private ReplicationEngine Dial(params ImmutableArray<IPEndPoint> endPoints) => Start("a", new ReplicationPeer("b", endPoints, Key), _a);

    private ReplicationEngine Start(string node, ReplicationPeer peer, FakeState state, Func<string, byte[], Task<byte[]>>? answer = null)
    {
        ReplicationEngine engine = new(node, [peer], new(IPAddress.Loopback, 0), [state], TimeProvider.System, new Random(1), NullLogger.Instance)
        {
            Answer = answer ?? ((_, _) => Task.FromResult<byte[]>([])),
        };
        _open.Add(engine);
        engine.Start();
        return engine;
    }
}
