using System.Net;
using Bascule.Core.Health;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class TcpProbeTests : IAsyncLifetime
{
    private readonly Bench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Fact]
    public async Task Passes_when_the_real_server_accepts()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();

        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);

        Assert.Equal(new(true, "connected in 0 ms", TimeSpan.Zero), record.Last);
    }

    [Fact]
    public async Task Says_when_the_connection_is_refused()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();

        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);

        Assert.Equal(new(false, "connection refused", TimeSpan.Zero), record.Last);
    }

    [Fact]
    public async Task Closes_with_an_end_of_stream_and_not_with_a_reset()
    {
        TaskCompletionSource<int> read = new();
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            try
            {
                read.SetResult(await client.ReadAsync(new byte[1]));
            }
            catch (Exception e)
            {
                read.SetException(e);
            }
        });

        await _bench.FirstAnswerAsync(Checks.Tcp, web.Address);

        Assert.Equal(0, await read.Task);
    }

    [Fact]
    public async Task Asks_the_port_of_the_check_when_it_has_one()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();
        await using FakeRealServer health = FakeRealServer.Stalling();

        HealthRecord record = await _bench.FirstAnswerAsync(Checks.Tcp with { Port = health.Address.Port }, web.Address);

        Assert.True(record.IsUp);
        await Eventually.HoldsAsync(() => health.Accepted == 1);
    }

    [Fact]
    public async Task Speaks_IPv6()
    {
        await using FakeRealServer web = FakeRealServer.Start(client => client.ReadToEndAsync(), IPAddress.IPv6Loopback);

        Assert.True((await _bench.FirstAnswerAsync(Checks.Tcp, web.Address)).IsUp);
    }
}
