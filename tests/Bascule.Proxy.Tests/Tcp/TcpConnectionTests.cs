using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Tcp;

public sealed class TcpConnectionTests
{
    [Fact]
    public async Task Relays_bytes_both_ways_and_both_ends()
    {
        byte[] sent = new byte[3_000_000];
        new Random(1).NextBytes(sent);
        await using FakeRealServer echo = FakeRealServer.Start(EchoAsync);
        await using Director director = Director.Start(Director.Tcp(echo.Address));

        using TcpClient client = await director.ConnectAsync();
        Task sending = Task.Run(async () =>
        {
            await client.GetStream().WriteAsync(sent);
            client.Client.Shutdown(SocketShutdown.Send);
        });
        using MemoryStream received = new();
        await client.GetStream().CopyToAsync(received).WaitAsync(TimeSpan.FromSeconds(15));
        await sending;

        Assert.Equal(sent, received.ToArray());
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
    }

    private static async Task EchoAsync(FakeConnection client)
    {
        byte[] buffer = new byte[65536];
        while (await client.ReadAsync(buffer) is var count && count > 0)
            await client.WriteAsync(buffer.AsMemory(0, count));
    }
}
