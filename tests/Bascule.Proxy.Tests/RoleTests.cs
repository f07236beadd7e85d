using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>What a change of roles changes for those who are connected, and for those who come. Addresses of 127/8 stand for virtual addresses.</summary>
public sealed class RoleTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Foreign = "198.51.100.1"; // RFC 5737: nobody's
    private static readonly byte[] Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray();

    [Fact]
    public async Task A_backup_listens_on_an_address_that_this_machine_does_not_have()
    {
        int port = Director.FreeAddress().Port;
        VirtualServer web = Director.Tcp(Director.FreeAddress()) with { Address = new(IPAddress.Parse(Foreign), port) };
        VirtualServer web6 = web with { Name = "web6", Address = new(IPAddress.Parse("2001:db8::1"), port) };

        await using Director director = Director.StartAsOneOfTwo(Pairs.Instance(Foreign, "2001:db8::1"), isActive: false, web, web6);

        Assert.Equal([Foreign, "2001:db8::1"], ListenersOn(port).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Addresses_that_no_instance_has_must_be_there_as_ever()
    {
        VirtualServer web = Director.Tcp(Director.FreeAddress());
        await using Director director = Director.StartAsOneOfTwo(Pairs.Instance(Foreign), isActive: false, web);

        ListenProblem problem = Assert.Single(director.Prepare(web with { Address = IPEndPoint.Parse("198.51.100.2:8080") }));

        Assert.Equal("198.51.100.2 is not an address of this machine", problem.What);
    }

    [Fact]
    public async Task With_listen_active_only_the_active_director_listens()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address);
        HaInstance instance = InstanceOf(web) with { Listen = ListenWhen.Active };
        await using Director director = Director.StartAsOneOfTwo(instance, isActive: false, web);
        await AssertRefusesAsync(director.Address);

        Assert.Empty(director.Become(instance, isActive: true));
        await director.OnWorkerAsync(_ => 0);
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        Assert.Empty(director.Become(instance, isActive: false));
        await director.OnWorkerAsync(_ => 0, worker: 0);
        await director.OnWorkerAsync(_ => 0, worker: 1);
        await AssertRefusesAsync(director.Address);
        await PingAsync(client); // what is open goes on
    }

    [Fact]
    public async Task Each_address_of_a_virtual_server_goes_by_its_own_role()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        (IPEndPoint ours, IPEndPoint moving) = (Director.FreeAddress(), Director.FreeAddress());
        VirtualServer web = Director.Tcp(echo.Address) with { Addresses = [new(ours), new(moving)] };
        HaInstance instance = Pairs.Instance($"{moving.Address}") with { Listen = ListenWhen.Active };
        await using Director director = Director.StartAsOneOfTwo(instance, isActive: false, web);
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);
        await AssertRefusesAsync(moving);

        Assert.Empty(director.Become(instance, isActive: true));
        await director.OnWorkerAsync(_ => 0);
        using TcpClient other = new();
        await other.ConnectAsync(moving);

        await PingAsync(other);
        await PingAsync(client);
    }

    [Fact]
    public async Task An_address_that_cannot_be_listened_on_at_a_takeover_is_told_and_the_others_are_served()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address), taken = Director.Tcp(echo.Address) with { Name = "taken" };
        HaInstance instance = Pairs.Instance($"{web.Address.Address}", $"{taken.Address.Address}") with { Listen = ListenWhen.Active };
        await using Director director = Director.StartAsOneOfTwo(instance, isActive: false, web, taken);
        using (Socket foreign = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            foreign.Bind(taken.Address);
            foreign.Listen();

            ListenProblem problem = Assert.Single(director.Become(instance, isActive: true));

            Assert.Equal("taken", problem.VirtualServer);
            using TcpClient client = await director.ConnectAsync();
            await PingAsync(client);
        }

        Assert.Empty(director.Become(instance, isActive: true)); // it is tried again
        using TcpClient other = new();
        await other.ConnectAsync(taken.Address);
        await PingAsync(other);
    }

    [Fact]
    public async Task Once_the_address_is_elsewhere_the_next_answer_closes_the_connection()
    {
        await using FakeRealServer real = FakeRealServer.AnsweringKeepAlive(Ok);
        VirtualServer web = Director.Http(real.Address);
        await using Director director = Director.StartAsOneOfTwo(InstanceOf(web), isActive: true, web);
        using TcpClient client = await director.ConnectAsync();
        Assert.DoesNotContain("Connection: close", await AskAsync(client));

        director.Become(InstanceOf(web), isActive: false);

        Assert.Contains("Connection: close", await AskAsync(client), StringComparison.OrdinalIgnoreCase); // its request was not lost
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Who_stays_idle_is_closed_after_a_moment_and_who_still_comes_is_served_once()
    {
        await using FakeRealServer real = FakeRealServer.AnsweringKeepAlive(Ok);
        VirtualServer web = Director.Http(real.Address);
        await using Director director = Director.StartAsOneOfTwo(InstanceOf(web), isActive: true, web);
        using TcpClient idle = await director.ConnectAsync();
        await AskAsync(idle);

        director.Become(InstanceOf(web), isActive: false);
        using TcpClient late = await director.ConnectAsync();
        string answer = await AskAsync(late);

        Assert.StartsWith("HTTP/1.1 200", answer);
        Assert.Contains("Connection: close", answer, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, await idle.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Connections_that_go_on_are_cut_off_when_their_time_is_over_and_not_before()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address);
        await using Director director = Director.StartAsOneOfTwo(InstanceOf(web), isActive: true, web);
        using TcpClient client = await director.ConnectAsync();
        await PingAsync(client);

        director.Become(InstanceOf(web), isActive: false); // shutdownTimeout is a second here
        await PingAsync(client);

        await AssertEndsAsync(client);
    }

    [Fact]
    public async Task The_end_of_a_handover_cuts_off_only_what_is_on_addresses_elsewhere()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        VirtualServer web = Director.Tcp(echo.Address), own = Director.Tcp(echo.Address) with { Name = "own" };
        await using Director director = Director.StartAsOneOfTwo(InstanceOf(web), isActive: true, web, own);
        using TcpClient moved = await director.ConnectAsync(), stays = new();
        await stays.ConnectAsync(own.Address);
        await PingAsync(moved);
        await PingAsync(stays);

        director.Become(InstanceOf(web), isActive: false);
        director.CutOffResting();

        await AssertEndsAsync(moved);
        await PingAsync(stays);
    }

    [Fact]
    public async Task Taking_the_role_back_makes_connections_normal_again()
    {
        await using FakeRealServer real = FakeRealServer.AnsweringKeepAlive(Ok);
        VirtualServer web = Director.Http(real.Address);
        await using Director director = Director.StartAsOneOfTwo(InstanceOf(web), isActive: true, web);
        using TcpClient client = await director.ConnectAsync();
        await AskAsync(client);

        director.Become(InstanceOf(web), isActive: false);
        director.Become(InstanceOf(web), isActive: true);
        await Task.WhenAll(director.OnWorkerAsync(_ => 0, 0), director.OnWorkerAsync(_ => 0, 1));

        Assert.DoesNotContain("Connection: close", await AskAsync(client), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Connection: close", await AskAsync(client), StringComparison.OrdinalIgnoreCase);
    }

    private static HaInstance InstanceOf(VirtualServer virtualServer) => Pairs.Instance($"{virtualServer.Address.Address}");

    private static IEnumerable<string> ListenersOn(int port) =>
        System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
            .Where(l => l.Port == port && !IPAddress.IsLoopback(l.Address)).Select(l => $"{l.Address}").Distinct();

    private static async Task<string> AskAsync(TcpClient client)
    {
        await client.GetStream().WriteAsync(Get);
        StringBuilder answer = new();
        byte[] buffer = new byte[1024];
        while (!answer.ToString().EndsWith("ok", StringComparison.Ordinal))
        {
            int read = await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(15));
            Assert.True(read > 0, $"the connection was closed instead of an answer, after: {answer}");
            answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        return answer.ToString();
    }

    private static async Task PingAsync(TcpClient client)
    {
        byte[] buffer = [42];
        await client.GetStream().WriteAsync(buffer);
        await client.GetStream().ReadExactlyAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(15));
    }

    private static async Task AssertEndsAsync(TcpClient client)
    {
        try
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        }
        catch (IOException)
        {
            // Cut off: a reset.
        }
    }

    private static async Task AssertRefusesAsync(IPEndPoint address)
    {
        using TcpClient client = new();
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(address));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }
}
