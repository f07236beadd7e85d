using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>What the proxy tells its scheduler, over real sockets.</summary>
public sealed class SchedulingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_real_server_with_its_most_connections_gets_no_more_until_enough_have_ended()
    {
        await using FakeRealServer full = FakeRealServer.Echoing();
        await using FakeRealServer other = Saying("other");
        VirtualServer web = Director.Tcp(full.Address, other.Address) with
        {
            Scheduler = SchedulerKind.FailOver,
            RealServers = [new(full.Address, 2) { Thresholds = new(Upper: 3, Lower: 2) }, new(other.Address, 1)],
        };
        await using Director director = Director.Start(web);
        Stack<TcpClient> open = [];
        for (int i = 1; i <= 3; i++)
        {
            open.Push(await director.ConnectAsync());
            await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == i);
        }

        Assert.Equal("other", await ReadAsync(await director.ConnectAsync()));
        open.Pop().Dispose();
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 2);
        Assert.Equal("other", await ReadAsync(await director.ConnectAsync()));
        open.Pop().Dispose();
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 1);

        open.Push(await director.ConnectAsync());
        await Eventually.HoldsAsync(() => director.RealServer(0).ActiveConnections == 2);
        while (open.TryPop(out TcpClient? client))
            client.Dispose();
    }

    [Fact]
    public async Task Dh_goes_by_the_address_the_client_asked_for_where_it_listens_on_every_address()
    {
        await using FakeRealServer alpha = Saying("alpha");
        await using FakeRealServer beta = Saying("beta");
        int port = FreePortOfEveryAddress();
        await using Director director = Director.Start(Director.Tcp(alpha.Address, beta.Address) with
        {
            Address = new(IPAddress.Any, port),
            Scheduler = SchedulerKind.DestinationHash,
        });

        List<string> met = [];
        for (byte asked = 1; asked <= 16; asked++)
        {
            string name = await ReadAsync(await ConnectToAsync(asked, port));
            Assert.Equal(name, await ReadAsync(await ConnectToAsync(asked, port)));
            met.Add(name);
        }

        Assert.Equal(["alpha", "beta"], met.Distinct().Order());
    }

    private static FakeRealServer Saying(string name) => FakeRealServer.Start(client => client.WriteAsync(name));

    private static int FreePortOfEveryAddress()
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static async Task<TcpClient> ConnectToAsync(byte asked, int port)
    {
        TcpClient client = new();
        await client.ConnectAsync(new IPEndPoint(new IPAddress([127, 98, 0, asked]), port));
        return client;
    }

    private static async Task<string> ReadAsync(TcpClient client)
    {
        using (client)
        {
            using StreamReader reader = new(client.GetStream(), Encoding.Latin1);
            return await reader.ReadToEndAsync().WaitAsync(Patience);
        }
    }
}
