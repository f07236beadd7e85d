using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>Virtual servers with several addresses and ports, over real sockets: one scheduler, one set of sessions, one set of counters.</summary>
public sealed class ListenerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Takes_turns_over_the_connections_of_all_addresses()
    {
        await using FakeRealServer alpha = Saying("alpha");
        await using FakeRealServer beta = Saying("beta");
        (IPEndPoint first, IPEndPoint second) = (Director.FreeAddress(), Director.FreeAddress());
        await using Director director = Director.Start(Director.Tcp(alpha.Address, beta.Address) with { Addresses = [new(first), new(second)], Scheduler = SchedulerKind.RoundRobin });

        string[] met = [await MeetAsync(first), await MeetAsync(second), await MeetAsync(second), await MeetAsync(first)];

        Assert.Equal(["alpha", "beta", "alpha", "beta"], met);
        Assert.Equal(4, director.VirtualServer.Counters.Sum(c => c.Connections));
    }

    [Fact]
    public async Task A_client_returns_to_his_real_server_on_whichever_port_he_comes()
    {
        await using FakeRealServer alpha = Saying("alpha");
        await using FakeRealServer beta = Saying("beta");
        (IPEndPoint plain, IPEndPoint secure) = (Director.FreeAddress(), Director.FreeAddress());
        await using Director director = Director.Start(Director.Tcp(alpha.Address, beta.Address) with
        {
            Addresses = [new(plain), new(secure)],
            Scheduler = SchedulerKind.RoundRobin,
            Persistence = new SourcePersistence(),
        });

        string[] met = [await MeetAsync(plain, 1), await MeetAsync(plain, 2), await MeetAsync(secure, 1), await MeetAsync(secure, 2), await MeetAsync(secure, 3)];

        Assert.Equal(["alpha", "beta", "alpha", "beta", "alpha"], met);
    }

    [Fact]
    public async Task Listens_on_every_port_of_a_range_and_on_none_beside_it()
    {
        await using FakeRealServer alpha = Saying("alpha");
        ListenAddress range = FreeRange(10);
        using Socket beside = Reserved(new(range.Ip, range.LastPort + 1));
        await using Director director = Director.Start(Director.Tcp(alpha.Address) with { Addresses = [range] });

        foreach (IPEndPoint port in range.EndPoints)
            Assert.Equal("alpha", await MeetAsync(port));

        await Assert.ThrowsAsync<SocketException>(() => MeetAsync(new(range.Ip, range.LastPort + 1)));
    }

    [Theory]
    [InlineData(VirtualServerProtocol.Tcp)]
    [InlineData(VirtualServerProtocol.Http)]
    public async Task A_real_server_without_a_port_is_reached_on_the_one_that_the_client_asked_for(VirtualServerProtocol protocol)
    {
        ListenAddress range = FreeRange(2);
        IPAddress machine = Director.FreeAddress().Address;
        await using FakeRealServer first = Web(new(machine, range.FirstPort), "first");
        await using FakeRealServer second = Web(new(machine, range.LastPort), "second");
        await using Director director = Director.Start(Director.Http(new IPEndPoint(machine, 0)) with { Protocol = protocol, Addresses = [range] });
        using HttpClient client = new();

        // Twice, so that the second request of HTTP finds an idle connection: the one of its own port.
        foreach ((int port, string name) in new[] { (range.FirstPort, "first"), (range.LastPort, "second"), (range.FirstPort, "first"), (range.LastPort, "second") })
            Assert.Equal(name, await client.GetStringAsync(new Uri($"http://{range.Ip}:{port}/")).WaitAsync(Patience));
    }

    [Fact]
    public async Task The_sorry_server_without_a_port_is_reached_on_the_one_that_the_client_asked_for()
    {
        ListenAddress range = FreeRange(2);
        IPAddress machine = Director.FreeAddress().Address;
        await using FakeRealServer sorry = FakeRealServer.Start(client => client.WriteAsync("sorry"), new IPEndPoint(machine, range.LastPort));
        await using Director director = Director.Start(Director.Tcp(new IPEndPoint(machine, 0)) with
        {
            Addresses = [range],
            RealServers = [new(new IPEndPoint(machine, 0), 0)],
            SorryServer = new(machine, 0),
        });

        Assert.Equal("sorry", await MeetAsync(new(range.Ip, range.LastPort)));
    }

    [Theory]
    [InlineData("::1", false)]
    [InlineData("127.0.0.1", true)]
    public async Task Carries_clients_of_one_family_to_real_servers_of_the_other(string client, bool isServedBySix)
    {
        await using FakeRealServer web = FakeRealServer.Start(c => c.WriteAsync("here"), isServedBySix ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        int port = FreePortOfBothFamilies();
        await using Director director = Director.Start(Director.Tcp(web.Address) with { Addresses = [new(new IPEndPoint(IPAddress.Loopback, port)), new(new IPEndPoint(IPAddress.IPv6Loopback, port))] });

        Assert.Equal("here", await MeetAsync(new(IPAddress.Parse(client), port)));
    }

    [Fact]
    public async Task A_reload_that_takes_one_address_away_keeps_the_connections_of_the_others()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        (IPEndPoint first, IPEndPoint second) = (Director.FreeAddress(), Director.FreeAddress());
        VirtualServer web = Director.Tcp(echo.Address) with { Addresses = [new(first), new(second)] };
        await using Director director = Director.Start(web);
        using TcpClient open = await ConnectAsync(second, 1);
        await EchoAsync(open);

        director.Reload(web with { Addresses = [new(second)] });

        await EchoAsync(open);
        await Assert.ThrowsAsync<SocketException>(() => MeetAsync(first));
        Assert.Equal(1, director.VirtualServer.Counters.Sum(c => c.OpenConnections));
    }

    [Fact]
    public async Task Says_which_of_the_addresses_cannot_be_had()
    {
        await using FakeRealServer other = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(other.Address));

        ListenProblem problem = Assert.Single(director.Prepare(Director.Tcp(other.Address) with { Addresses = [new(Director.FreeAddress()), new(other.Address)] }));

        Assert.Equal(other.Address, problem.Address);
    }

    private static FakeRealServer Saying(string name) => FakeRealServer.Start(client => client.WriteAsync(name));

    private static FakeRealServer Web(IPEndPoint address, string name) =>
        FakeRealServer.Start(async client =>
        {
            while (await client.ReadHeadAsync() is not null)
                await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");
        }, address);

    // Each caller has an IP address of its own, but somebody may listen on a port of all addresses.
    /// <summary>So many free ports in a row, and one behind them.</summary>
    internal static ListenAddress FreeRange(int ports)
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            IPEndPoint beside = Director.FreeAddress();
            ListenAddress range = new(beside.Address, beside.Port - ports, beside.Port - 1);
            if (range.EndPoints.All(IsFree))
                return range;
        }

        throw new InvalidOperationException($"no {ports} ports in a row are free");
    }

    private static bool IsFree(IPEndPoint address)
    {
        try
        {
            using Socket probe = Reserved(address);
            return true;
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    /// <summary>Nobody else can listen there, and it does not.</summary>
    private static Socket Reserved(IPEndPoint address)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static int FreePortOfBothFamilies()
    {
        using Socket probe = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        probe.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static async Task<TcpClient> ConnectAsync(IPEndPoint address, byte client)
    {
        TcpClient connection = address.AddressFamily == AddressFamily.InterNetworkV6 ? new(AddressFamily.InterNetworkV6) : new(new IPEndPoint(new IPAddress([127, 98, 0, client]), 0));
        await connection.ConnectAsync(address);
        return connection;
    }

    private static async Task<string> MeetAsync(IPEndPoint address, byte client = 1)
    {
        using TcpClient connection = await ConnectAsync(address, client);
        using StreamReader reader = new(connection.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    private static async Task EchoAsync(TcpClient connection)
    {
        await connection.GetStream().WriteAsync("hello"u8.ToArray());
        byte[] answer = new byte[5];
        await connection.GetStream().ReadExactlyAsync(answer).AsTask().WaitAsync(Patience);
        Assert.Equal("hello", Encoding.Latin1.GetString(answer));
    }
}
