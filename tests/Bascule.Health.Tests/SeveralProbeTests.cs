using System.Net;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class SeveralProbeTests
{
    private static readonly OnCheck On = new();
    private static readonly OffCheck Off = new();

    [Fact]
    public async Task All_pass_when_each_does() => Assert.Equal("up: all 3 passed", await AnswerAsync(new AllCheck([On, On, On])));

    [Fact]
    public async Task One_failure_is_enough_against_all_and_is_named() =>
        Assert.Equal("down: off: switched off by `check: off`", await AnswerAsync(new AllCheck([On, Off, On])));

    [Fact]
    public async Task One_pass_is_enough_for_any() => Assert.Equal("up: on: on", await AnswerAsync(new AnyCheck([Off, On])));

    [Fact]
    public async Task When_none_passes_each_is_named()
    {
        await using FakeRealServer web = FakeRealServer.Refusing();

        Assert.Equal("down: tcp: connection refused; off: switched off by `check: off`", await AnswerAsync(new AnyCheck([new TcpCheck { Port = web.Address.Port }, Off])));
    }

    [Fact]
    public async Task They_stand_within_each_other() =>
        Assert.Equal("down: any of [off, all of [on, off]]: off: switched off by `check: off`; all of [on, off]: off: switched off by `check: off`",
            await AnswerAsync(new AllCheck([On, new AnyCheck([Off, new AllCheck([On, Off])])])));

    [Fact]
    public async Task One_that_hangs_does_not_keep_any_from_passing()
    {
        await using FakeRealServer stalls = FakeRealServer.Stalling();

        Assert.Equal("up: on: on", await AnswerAsync(new AnyCheck([Checks.Http with { Port = stalls.Address.Port }, On])));
    }

    [Fact]
    public async Task What_hangs_is_named()
    {
        await using FakeRealServer stalls = FakeRealServer.Stalling();

        Assert.Equal("http /healthz", await Ask.InVainAsync(new AllCheck([On, Checks.Http]), stalls.Address));
    }

    private static Task<string> AnswerAsync(Check check) => Ask.WhyAsync(check, new(IPAddress.Loopback, 9));
}
