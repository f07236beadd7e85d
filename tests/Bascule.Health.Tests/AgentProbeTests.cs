using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class AgentProbeTests
{
    [Theory]
    [InlineData("up\n", true, "agent: up", null, null)]
    [InlineData("75%\n", true, "agent: 75%", 75, null)]
    [InlineData("UP, 50%\r\n", true, "agent: up 50%", 50, null)]
    [InlineData("ready up\n", true, "agent: ready up", null, AdministrativeState.Enabled)]
    [InlineData("drain\n", true, "agent: drain", null, AdministrativeState.Drain)]
    [InlineData("maint #disk is replaced\n", true, "agent: maint (\"disk is replaced\")", null, AdministrativeState.Maintenance)]
    [InlineData("down\n", false, "agent: down", null, null)]
    [InlineData("failed#no database\n", false, "agent: failed (\"no database\")", null, null)]
    [InlineData("fail\n", false, "agent: fail", null, null)]
    [InlineData("stopped\t100%\n", false, "agent: stopped 100%", 100, null)]
    [InlineData("maxconn:30 90%\n", true, "agent: maxconn:30 90%", 90, null)]
    [InlineData("99999%", true, "agent: 99999%", 1000, null)]
    [InlineData("up", true, "agent: up", null, null)]
    [InlineData("\n", false, "the agent said nothing", null, null)]
    [InlineData("", false, "the agent said nothing", null, null)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", false, "the agent said \"HTTP/1.1 400 Bad Request\", of which no word is known", null, null)]
    [InlineData("#up\n", false, "the agent said \"#up\", of which no word is known", null, null)]
    public async Task Understands_what_agents_say_to_HAProxy(string said, bool passed, string why, int? percent, AdministrativeState? wish)
    {
        await using FakeRealServer agent = FakeRealServer.Start(client => client.WriteAsync(said));

        Verdict verdict = await Ask.OnceAsync(new AgentCheck { Question = null }, agent.Address);

        Assert.Equal((passed, why, percent, wish), (verdict.Passed, verdict.Why, verdict.Weight?.Value, verdict.Wish));
        Assert.True(verdict.Weight?.IsPercent ?? true);
    }

    [Theory]
    [InlineData("up load: 0.75\n", "agent: up load 0.75", 0.75)]
    [InlineData("load:3\n", "agent: load 3", 3d)]
    [InlineData(" 18:30:01 up 5 days,  3:02,  2 users,  load average: 1.25, 0.80, 0.90\n", "agent: up load 1.25", 1.25)]
    [InlineData("up, workload: 7\n", "agent: up", null)]
    [InlineData("up load: high\n", "agent: up", null)]
    public async Task May_say_how_loaded_it_is(string said, string why, double? load)
    {
        await using FakeRealServer agent = FakeRealServer.Start(client => client.WriteAsync(said));

        Verdict verdict = await Ask.OnceAsync(new AgentCheck { Question = null }, agent.Address);

        Assert.Equal((true, why, load), (verdict.Passed, verdict.Why, verdict.Load));
    }

    [Fact]
    public async Task Is_told_first_what_it_is_to_be_told()
    {
        await using FakeRealServer agent = FakeRealServer.Start(async client =>
        {
            bool isAsked = Encoding.UTF8.GetString(await client.ReadExactlyAsync(5)) == "shop\n";
            await client.WriteAsync(isAsked ? "up 10%\n" : "down\n");
        });

        Assert.Equal("up: agent: up 10%", await Ask.WhyAsync(new AgentCheck { Question = [.. "shop\n"u8] }, agent.Address));
    }

    [Fact]
    public async Task One_that_hangs_or_is_not_there_fails()
    {
        await using FakeRealServer hanging = FakeRealServer.Stalling();
        await using FakeRealServer gone = FakeRealServer.Refusing();
        AgentCheck check = new() { Question = null };

        await Ask.InVainAsync(check, hanging.Address);
        Assert.Equal("down: connection refused", await Ask.WhyAsync(check, gone.Address));
    }
}
