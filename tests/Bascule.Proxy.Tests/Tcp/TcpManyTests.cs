using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Tcp;

/// <summary>Many TCP connections at once: nothing is mixed up, and every count comes back to zero.</summary>
public sealed class TcpManyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Five_hundred_that_come_and_go_as_they_like_leave_nothing_behind(int workers)
    {
        await using FakeRealServer alpha = FakeRealServer.Echoing();
        await using FakeRealServer beta = FakeRealServer.Echoing();
        await using Director director = Director.StartWith(workers, Director.Tcp(alpha.Address, beta.Address));

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(() => LiveAsync(director, new Random(i))))).WaitAsync(Patience);

        await director.IsAtRestAsync();
        LiveVirtualServer virtualServer = director.VirtualServer;
        await Eventually.HoldsAsync(() => virtualServer.Counters.Sum(c => c.OpenConnections) == 0);
        Assert.Equal(500, virtualServer.Counters.Sum(c => c.Connections));
        Assert.Equal(500, director.Endings);
        Assert.All(virtualServer.Counters, c => Assert.InRange(c.Connections, 500 / workers / 2, 500));
        Assert.All(virtualServer.RealServers, r => Assert.Equal((0, 0), (r.ActiveConnections, r.Connections)));
        Assert.Equal(500, virtualServer.RealServers.Sum(r => r.Counters.Sum(c => c.Requests)));
    }

    private static async Task LiveAsync(Director director, Random random)
    {
        using TcpClient client = await director.ConnectAsync();
        byte[] sent = new byte[random.Next(4) == 0 ? 100_000 : 100];
        byte[] received = new byte[sent.Length];
        for (int message = random.Next(4); message > 0; message--)
        {
            random.NextBytes(sent);
            Task sending = client.Client.SendAsync(sent);
            for (int got = 0; got < received.Length;)
            {
                int more = await client.Client.ReceiveAsync(received.AsMemory(got));
                Assert.True(more > 0, "ended early");
                got += more;
            }

            await sending;
            Assert.Equal(sent, received);
        }

        switch (random.Next(4))
        {
            case 0:
                client.LingerState = new(enable: true, seconds: 0);
                break;
            case 1:
                client.Client.Shutdown(SocketShutdown.Send);
                Assert.Equal(0, await client.Client.ReceiveAsync(received));
                break;
            default:
                break;
        }
    }
}
