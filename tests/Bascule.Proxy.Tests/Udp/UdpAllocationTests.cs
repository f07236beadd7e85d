using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>A datagram of a known session allocates nothing on its worker, there and back.</summary>
public sealed class UdpAllocationTests
{
    private const int Clients = 4;
    private const int Asked = 200;

    /// <summary>What is loaded and grown once is so in the first rounds; what a datagram allocates shows in every one.</summary>
    private const int MostRounds = 5;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_datagram_of_a_known_session_allocates_nothing(bool isOnePacket, bool isPersistent)
    {
        using FakeDatagramServer echo = FakeDatagramServer.Named("");
        await using Director director = Director.Start(Director.Udp(echo.Address) with
        {
            Packets = new() { OnePacket = isOnePacket },
            Persistence = isPersistent ? new SourcePersistence() : null,
        });
        Socket[] clients = [.. Enumerable.Range(0, Clients).Select(_ => UdpClients.Connect(director.Address))];
        foreach (Socket client in clients)
            client.ReceiveTimeout = 15_000;

        long allocated = -1;
        for (int round = 0; round < MostRounds && allocated != 0; round++)
        {
            Ask(clients);
            long before = await AllocatedAsync(director);
            Ask(clients);
            allocated = await AllocatedAsync(director) - before;
        }

        Assert.Equal(0, allocated);
        foreach (Socket client in clients)
            client.Dispose();
    }

    private static void Ask(Socket[] clients)
    {
        byte[] question = new byte[100], answer = new byte[200];
        for (int i = 0; i < Asked; i++)
        {
            Socket client = clients[i % Clients];
            client.Send(question);
            client.Send(question);
            Assert.Equal((100, 100), (client.Receive(answer), client.Receive(answer)));
        }
    }

    // Not by OnWorkerAsync, whose answer allocates.
    private static async Task<long> AllocatedAsync(Director director)
    {
        long allocated = -1;
        director.Post(() => Volatile.Write(ref allocated, GC.GetAllocatedBytesForCurrentThread()));
        await Eventually.HoldsAsync(() => Volatile.Read(ref allocated) >= 0);
        return allocated;
    }
}
