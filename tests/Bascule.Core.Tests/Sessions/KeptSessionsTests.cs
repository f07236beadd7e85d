using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Sessions;

/// <summary>Who is remembered from the stop of a director to its next start.</summary>
public sealed class KeptSessionsTests
{
    private static readonly TimeSpan Timeout = new SourcePersistence().Timeout;

    private readonly ManualClock _clock = new();
    private readonly Side _before;
    private readonly Side _after;

    public KeptSessionsTests() => (_before, _after) = (new(_clock, Web), new(_clock, Web));

    private static VirtualServer Web => Sample.Web with { Check = null, Scheduler = SchedulerKind.RoundRobin, Persistence = new SourcePersistence() };

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    public void A_client_returns_to_his_real_server(string client)
    {
        _before.Visit("192.0.2.99"); // so that the turn of the next director would be another
        IPEndPoint chosen = _before.Visit(client);

        Assert.Equal(2, _after.Read(_before.Write()!));

        Assert.Equal(chosen, _after.Visit(client));
    }

    [Fact]
    public void The_time_without_a_director_counts()
    {
        _before.Visit("192.0.2.1");
        _clock.Advance(Timeout * 0.5);
        string kept = _before.Write()!;

        _clock.Advance(Timeout * 0.4);
        _after.Read(kept);
        Assert.Equal(1, _after.Count);
        _clock.Advance(Timeout * 0.2);
        Assert.Equal(0, _after.Count);

        Side late = new(_clock, Web);
        late.Read(kept);
        Assert.Equal(0, late.Count);
    }

    [Fact]
    public void Where_nobody_is_remembered_there_is_nothing_to_keep() => Assert.Null(_before.Write());

    [Theory]
    [InlineData("")]
    [InlineData("yesterday\nAAAA\n")]
    [InlineData("2026-01-01T12:00:00.0000000+00:00\n?\nAAAA\n\n")]
    public void What_is_not_understood_is_passed_over(string text) => Assert.Equal(0, _after.Read(text));

    [Fact]
    public void Half_a_file_is_half_of_the_clients()
    {
        for (int i = 0; i < 10; i++)
            _before.Visit($"192.0.2.{i}");
        string kept = _before.Write()!;

        Assert.InRange(_after.Read(kept[..(kept.Length / 2)]), 3, 6);
    }
}
