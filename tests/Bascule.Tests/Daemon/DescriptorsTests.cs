using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Daemon;

namespace Bascule.Tests.Daemon;

public sealed class DescriptorsTests
{
    private const string Tcp = "check: { type: tcp }";
    private const ulong Plenty = 1_000_000;

    [Theory]
    [InlineData("check: none", 0)]
    [InlineData(Tcp, 3)]
    [InlineData("check: { type: script, command: [/bin/true] }", 9)]
    [InlineData("check: { all: [tcp, { any: [tcp, http, on] }] }", 9)]
    public void Every_check_may_be_asking_at_the_same_time(string check, int descriptors) =>
        Assert.Equal(descriptors, Beside(1, "192.0.2.10:80", check) - Beside(1, "192.0.2.10:80", "check: none"));

    [Theory]
    [InlineData(1, 8)]
    [InlineData(4, 32)]
    public void Every_worker_listens_at_every_port_of_every_address(int workers, int more) =>
        Assert.Equal(more, Beside(workers, "192.0.2.10:80, 192.0.2.11:8000-8006, '[2001:db8::1]:80'", Tcp) - Beside(workers, "192.0.2.10:80", Tcp));

    [Fact]
    public void A_check_that_several_virtual_servers_read_is_one()
    {
        Configuration once = Read("192.0.2.10:80", Tcp);
        VirtualServer web = once.VirtualServers[0];

        Configuration twice = once with { VirtualServers = [web, web with { Name = "again" }] };

        Assert.Equal(1, Descriptors.BesideClients(twice, workers: 1, Plenty) - Descriptors.BesideClients(once, workers: 1, Plenty)); // its listener
    }

    [Theory]
    [InlineData(1_000_000, 20_000)] // as configured
    [InlineData(1_024, 358)]
    [InlineData(100, 1)]
    public void The_rest_is_shared_by_clients_with_two_each(ulong allowed, int connections) =>
        Assert.Equal(connections, Descriptors.ConnectionsPerWorker(Read("192.0.2.10:80", Tcp), workers: 1, allowed));

    [Fact]
    public void Checks_are_left_a_quarter_at_most_for_they_are_not_all_out_at_once()
    {
        Configuration configuration = Read("192.0.2.10:80", Tcp);
        VirtualServer web = configuration.VirtualServers[0];
        RealServer realServer = web.RealServers[0];
        Configuration large = configuration with
        {
            VirtualServers = [web with { RealServers = [.. Enumerable.Range(1, 5_000).Select(port => realServer with { Address = new(realServer.Address.Address, port) })] }],
        };

        Assert.Equal(((8_000 * 3 / 4) - 300 - 4 - 1) / 2, Descriptors.ConnectionsPerWorker(large, workers: 1, allowed: 8_000));
    }

    private static long Beside(int workers, string addresses, string check) => Descriptors.BesideClients(Read(addresses, check), workers, Plenty);

    private static Configuration Read(string addresses, string check) =>
        ConfigurationText.Check(Encoding.UTF8.GetBytes($"virtualServers: {{ web: {{ addresses: [{addresses}], {check}, realServers: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80] }} }}")).Meant!;
}
