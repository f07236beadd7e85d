using System.Diagnostics;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Alone, since it counts the descriptors of the process.</summary>
[CollectionDefinition(nameof(ChaosTests), DisableParallelization = true)]
[Collection(nameof(ChaosTests))]
public sealed class ChaosTests
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);

    private static readonly string[] Requests =
    [
        Webs.Get,
        Webs.Get + Webs.Get + Webs.Get,
        "HEAD / HTTP/1.1\r\nHost: s\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 50000\r\n\r\n" + new string('b', 50_000),
        "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n" + new string('b', 500),
        "POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n" + Webs.InChunks(new string('c', 70_000), 999),
        "POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "\0\u0001garbage",
    ];

    private static readonly string[] Answers =
    [
        Webs.Ok,
        Webs.Ok,
        Webs.Ok,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Webs.InChunks(new string('c', 100_000), 7_000),
        "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + new string('l', 400_000),
        "HTTP/1.1 100 Continue\r\n\r\n" + Webs.Ok,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        Webs.Ok + "and more",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello",
        "garbage\r\n\r\n",
        "",
    ];

    [Fact]
    public async Task Whatever_clients_and_real_servers_do_nothing_leaks_and_the_director_serves_on()
    {
        int seeds = 1000;
        FakeRealServer[] webs = [.. Enumerable.Range(0, 4).Select(_ => FakeRealServer.Start(client => MisbehaveAsync(client, new(Interlocked.Increment(ref seeds)))))];
        await using FakeRealServer good = Webs.Named("good");
        VirtualServer web = Director.Http([.. webs.Select(w => w.Address)]) with
        {
            Timeouts = Director.Timeouts with
            {
                Response = TimeSpan.FromMilliseconds(300),
                Body = TimeSpan.FromMilliseconds(300),
                Tunnel = TimeSpan.FromMilliseconds(300),
                Request = TimeSpan.FromMilliseconds(300),
                KeepAlive = TimeSpan.FromMilliseconds(300),
            },
        };
        int descriptors = OpenDescriptors();
        Director director = Director.StartWith(2, web);

        Stopwatch time = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(seed => Task.Run(() => MisbehaveAsync(director, new(seed), time))));

        await EverythingIsReleasedAsync(director);
        long answered = director.Count(ForwardOutcome.Completed);
        Assert.InRange(answered, 100, director.Endings - 100);
        Assert.Equal(director.VirtualServer.RealServers.Sum(r => r.Connections), await IdleAsync(director));

        director.Reload(web with { RealServers = [new RealServer(good.Address, 1)] });
        for (int i = 0; i < 50; i++)
            Assert.EndsWith("good", await director.AskAsync("GET / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"));
        Assert.Equal(answered + 50, await director.CountAsync(ForwardOutcome.Completed));

        await director.DisposeAsync();
        foreach (FakeRealServer server in webs)
            await server.DisposeAsync();
        await good.DisposeAsync();
        await Eventually.HoldsAsync(() => OpenDescriptors() <= descriptors);
    }

    private static async Task EverythingIsReleasedAsync(Director director)
    {
        await director.IsAtRestAsync();
        await Eventually.HoldsAsync(() => director.VirtualServer.Counters.Sum(c => c.OpenConnections) == 0);
        Assert.All(director.VirtualServer.RealServers, r => Assert.Equal(0, r.ActiveConnections));
    }

    private static async Task<int> IdleAsync(Director director) =>
        await director.IdleServerConnectionsAsync(0) + await director.IdleServerConnectionsAsync(1);

    private static int OpenDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    // What a real server does to a connection: read, wait, answer well or badly, close or reset.
    private static async Task MisbehaveAsync(FakeConnection client, Random random)
    {
        while (await client.ReadHeadAsync() is { } head)
        {
            if (random.Next(4) > 0)
                await Webs.ReadBodyAsync(client, head);
            if (random.Next(10) == 0)
                await Task.Delay(random.Next(30));
            string answer = Answers[random.Next(Answers.Length)];
            int first = random.Next(3) == 0 ? random.Next(answer.Length + 1) : answer.Length;
            await client.WriteAsync(answer[..first]);
            await Task.Yield();
            await client.WriteAsync(answer[first..]);
            if (random.Next(8) == 0)
            {
                if (random.Next(2) == 0)
                    client.Reset();
                return;
            }
        }
    }

    // What clients do: send requests whole or in pieces, read some or all of the answer, leave in one of three ways.
    private static async Task MisbehaveAsync(Director director, Random random, Stopwatch time)
    {
        for (int i = 0; i < 500 && time.Elapsed < Time; i++)
        {
            using HttpTalk client = await HttpTalk.WithAsync(director, receiveBuffer: random.Next(4) == 0 ? 4096 : 0);
            try
            {
                await MisbehaveAsync(client, random);
            }
            catch (Exception expected) when (expected is SocketException or EndOfStreamException or TimeoutException or FormatException)
            {
                // It was cut off, or no longer knows where the next answer begins. Either way it goes.
            }

            if (random.Next(3) == 0)
                client.Reset();
        }
    }

    private static async Task MisbehaveAsync(HttpTalk client, Random random)
    {
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            string request = Requests[random.Next(Requests.Length)];
            int cut = random.Next(4) == 0 ? random.Next(request.Length) : request.Length;
            await client.SendAsync(request[..cut]);
            if (random.Next(10) == 0)
                return;
            await Task.Yield();
            await client.SendAsync(request[cut..]);
            if (random.Next(6) == 0)
                client.CloseSendSide();
            if (random.Next(5) == 0)
                await client.ReadAsync(random.Next(50));
            else
                await client.ReadAnswerAsync(toHead: request.StartsWith("HEAD", StringComparison.Ordinal));
        }
    }
}
