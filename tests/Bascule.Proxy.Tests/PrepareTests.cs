using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>Opening the listeners of a new configuration: all, or none and every reason why.</summary>
public sealed class PrepareTests
{
    private static readonly IPEndPoint Somewhere = new(IPAddress.Loopback, 9);

    [Fact]
    public async Task An_address_that_another_program_listens_on_is_a_problem_that_names_it()
    {
        using Socket foreign = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        foreign.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        foreign.Listen();
        await using Director director = Director.Start(Director.Tcp(Somewhere));
        IPEndPoint address = (IPEndPoint)foreign.LocalEndPoint!;

        ListenProblem problem = Assert.Single(director.Prepare(Director.Tcp(Somewhere) with { Name = "mail", Address = address }));

        Assert.Equal(("mail", address), (problem.VirtualServer, problem.Address));
        Assert.Equal($"another program already listens on {address}", problem.What);
        Assert.Contains($"sport = :{address.Port}", problem.Hint);
    }

    [Fact]
    public async Task An_address_that_another_bascule_listens_on_is_a_problem_too()
    {
        await using Director other = Director.StartWith(2, Director.Tcp(Somewhere));
        await using Director director = Director.Start(Director.Tcp(Somewhere));

        ListenProblem problem = Assert.Single(director.Prepare(Director.Tcp(Somewhere) with { Address = other.Address }));

        Assert.Contains("already listens", problem.What);
    }

    [Fact]
    public async Task An_address_of_another_machine_is_a_problem()
    {
        await using Director director = Director.Start(Director.Tcp(Somewhere));

        ListenProblem problem = Assert.Single(director.Prepare(Director.Tcp(Somewhere) with { Address = IPEndPoint.Parse("192.0.2.1:8080") }));

        Assert.Equal("192.0.2.1 is not an address of this machine", problem.What);
        Assert.Contains("net.ipv4.ip_nonlocal_bind", problem.Hint);
    }

    [UnprivilegedFact]
    public async Task A_port_below_1024_is_a_problem_for_an_ordinary_user()
    {
        await using Director director = Director.Start(Director.Tcp(Somewhere));

        ListenProblem problem = Assert.Single(director.Prepare(Director.Tcp(Somewhere) with { Address = IPEndPoint.Parse("127.0.0.1:81") }));

        Assert.Equal("not permitted to listen on port 81", problem.What);
    }

    [Fact]
    public async Task Every_problem_is_told_and_nothing_is_opened()
    {
        await using Director other = Director.Start(Director.Tcp(Somewhere));
        await using FakeRealServer quiet = FakeRealServer.Stalling();
        VirtualServer kept = Director.Tcp(quiet.Address), fine = Director.Tcp(Somewhere) with { Name = "fine" };
        await using Director director = Director.Start(kept);

        IReadOnlyList<ListenProblem> problems = director.Prepare(
            kept,
            fine,
            Director.Tcp(Somewhere) with { Name = "taken", Address = other.Address },
            Director.Tcp(Somewhere) with { Name = "foreign", Address = IPEndPoint.Parse("192.0.2.1:8080") });

        Assert.Equal(["taken", "foreign"], problems.Select(p => p.VirtualServer));
        await AssertRefusesAsync(fine.Address);
        using TcpClient client = await director.ConnectAsync(); // it goes on as before
    }

    [Fact]
    public async Task What_was_prepared_and_not_applied_is_closed_by_the_next_attempt()
    {
        VirtualServer kept = Director.Tcp(Somewhere), rejected = Director.Tcp(Somewhere) with { Name = "rejected" };
        await using Director director = Director.Start(kept);

        Assert.Empty(director.Prepare(kept, rejected));
        Assert.Empty(director.Prepare(kept));

        await AssertRefusesAsync(rejected.Address);
    }

    private static async Task AssertRefusesAsync(IPEndPoint address)
    {
        using TcpClient client = new();
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(address));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    /// <summary>Skipped where every port may be used: root, a container without the rule, a machine that has changed it.</summary>
    private sealed class UnprivilegedFactAttribute : FactAttribute
    {
        public UnprivilegedFactAttribute()
        {
            if (Environment.IsPrivilegedProcess)
                Skip = "root may listen on every port";
            else if (int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"), null) <= 81)
                Skip = "this machine lets everybody listen on port 81";
        }
    }
}
