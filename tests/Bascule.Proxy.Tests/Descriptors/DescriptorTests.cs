using System.Net.Sockets;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Proxy.Reactor;
using Bascule.Proxy.Tests.Tcp;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Descriptors;

[Collection(Alone.Name)]
public sealed class DescriptorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Every_descriptor_is_given_back_when_the_director_stops()
    {
        await LiveAndStopAsync(); // what the runtime itself opens once
        int before = FileDescriptors.Count();

        await LiveAndStopAsync();

        await Eventually.HoldsAsync(() => FileDescriptors.Count() <= before);
    }

    [Fact]
    public async Task The_workers_have_closed_theirs_by_the_time_stopping_is_over()
    {
        for (int i = 0; i < 20; i++)
        {
            int before = FileDescriptors.Count();
            Director director = Director.StartWith(4, Director.Tcp(Director.FreeAddress()));
            await director.StopAsync(TimeSpan.FromMinutes(1)).WaitAsync(Patience);
            Assert.InRange(FileDescriptors.Count(), 0, before);
        }
    }

    [Fact]
    public async Task An_engine_that_never_started_gives_its_descriptors_back()
    {
        await using Director other = Director.Start(Director.Tcp(Director.FreeAddress()));
        int before = FileDescriptors.Count();

        Snapshot snapshot = Snapshot.First(other.Snapshot.Configuration, 4, new HealthBoard(TimeProvider.System));
        ProxyEngine engine = new(snapshot, TimeProvider.System, new Random(1), new FaultLog());
        Assert.Single(engine.Prepare(snapshot, Core.Roles.RoleSet.Alone));
        await engine.StopAsync(TimeSpan.FromMinutes(1)).WaitAsync(Patience);

        Assert.InRange(FileDescriptors.Count(), 0, before);
    }

    [Fact]
    public void Mail_for_a_loop_that_has_ended_goes_nowhere()
    {
        EventLoop loop = new(TimeProvider.System);
        loop.Dispose();
        string folder = Directory.CreateTempSubdirectory().FullName;
        FileStream[] files = [.. Enumerable.Range(0, 8).Select(i => File.Create(Path.Combine(folder, $"{i}"), 1))]; // one of them has its number now

        loop.Post(() => { });

        Assert.All(files, f => Assert.Equal(0, f.Length));
        foreach (FileStream file in files)
            file.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Bulk_is_copied_when_there_is_no_pipe_to_be_had()
    {
        const int Size = 5_000_000;
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));
        await TransferAsync(director, Size, () => { }); // so that everything the transfer needs is loaded
        await using Director without = Director.Start(Director.Tcp(echo.Address)); // it has no pipe yet
        using NoMoreDescriptors none = new();

        long received = await TransferAsync(without, Size, none.Begin).ContinueWith(t =>
        {
            none.End();
            return t;
        }, TaskScheduler.Default).Unwrap();

        Assert.Equal(Size, received);
    }

    [Fact]
    public async Task Clients_wait_while_there_is_no_descriptor_for_them_and_are_served_when_there_is()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));
        using TcpClient early = await director.ConnectAsync();
        await PingAsync(early);
        await director.OnWorkerAsync(_ => 0);
        using TcpClient late = new(AddressFamily.InterNetwork);
        using NoMoreDescriptors none = new();

        none.Begin();
        long accepted;
        try
        {
            await late.ConnectAsync(director.Address); // the kernel makes the connection; it waits to be accepted
            for (int turn = 0; turn < 5; turn++)
                await director.OnWorkerAsync(_ => 0);
            accepted = director.VirtualServer.Counters[0].Connections;
            await PingAsync(early);
        }
        finally
        {
            none.End();
        }

        Assert.Equal(1, accepted);
        await PingAsync(late);
        Assert.Equal(2, director.VirtualServer.Counters[0].Connections);
    }

    private static async Task LiveAndStopAsync()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        VirtualServer tcp = Director.Tcp(echo.Address, Director.FreeAddress());
        VirtualServer http = Director.Http(web.Address, Director.FreeAddress()) with { Name = "http" };
        await using Director director = Director.StartWith(2, tcp, http);
        for (int i = 0; i < 4; i++)
        {
            await TransferAsync(director, 1_000_000, () => { });
            using HttpClient client = new();
            Assert.Equal("ok", await client.GetStringAsync(new Uri($"http://{http.Address}/")));
        }

        using TcpClient cutOff = await director.ConnectAsync();
        await PingAsync(cutOff);
        Assert.Empty(director.Prepare(tcp, http, Director.Tcp(echo.Address) with { Name = "never applied" }));
    }

    private static async Task<long> TransferAsync(Director director, int size, Action whenConnected)
    {
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);
        whenConnected();
        Task sending = Task.Run(async () =>
        {
            await new Pattern(7).SendAsync(client.Client, size);
            client.Client.Shutdown(SocketShutdown.Send);
        });
        long received = await new Pattern(7).ReceiveToEndAsync(client.Client).WaitAsync(Patience);
        await sending;
        return received;
    }

    private static async Task PingAsync(TcpClient client)
    {
        await client.Client.SendAsync(new byte[1]);
        Assert.Equal(1, await client.Client.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }
}
