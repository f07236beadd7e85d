using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Servers that are asked in datagrams, and never answer.</summary>
public sealed class SilentDatagramTests : IAsyncLifetime
{
    private static readonly Dictionary<string, Check> Kinds = new()
    {
        ["dns"] = new DnsCheck { Name = "example.org", RecordType = DnsRecordType.Soa, Answer = null, Transport = Transport.Udp },
        ["radius"] = new RadiusCheck { User = null, Password = null, Secret = new GivenPassword("geheim") },
        ["sip"] = new SipCheck { Uri = null, Transport = Transport.Udp },
        ["udp"] = new UdpCheck { Payload = [.. "ping"u8], Reply = null, ReplyPattern = null, RequiresReply = true },
    };

    private readonly Bench _bench = new();

    public static TheoryData<string> Names => [.. Kinds.Keys];

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.StopAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Are_given_their_timeout_and_asked_again_at_their_interval(string kind)
    {
        using DatagramServer silent = new();
        Check check = Kinds[kind] with { Interval = Checks.Interval, Timeout = Checks.Timeout };
        DateTimeOffset start = _bench.Clock.GetUtcNow();
        _bench.Engine.Apply(_bench.Snapshot(Bench.Asking(check, silent.Address)), RoleSet.Alone);
        HealthRecord record = _bench.Board.Find(check, silent.Address)!;

        await silent.HearAsync();
        _bench.Clock.Advance(Checks.Timeout);
        await Eventually.HoldsAsync(() => record.Answers == 1);
        await _bench.SettleAsync();
        TimeSpan next = _bench.Clock.GetUtcNow() + _bench.Clock.UntilNextTimer!.Value - start;
        _bench.Clock.Advance(_bench.Clock.UntilNextTimer!.Value);
        await silent.HearAsync();

        Assert.Equal((false, "no answer within 1s", Checks.Timeout), (record.Last!.Passed, record.Last.Why, record.Last.Took));
        Assert.InRange(next, 0.9 * Checks.Interval, 1.1 * Checks.Interval);
    }
}
