using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Sessions;

/// <summary>Session ids of applications, as they follow to the other director.</summary>
public sealed class LearnedSessionsFollowTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(30);

    private readonly ManualClock _clock = new();
    private readonly Side _a;
    private readonly Side _b;

    public LearnedSessionsFollowTests()
    {
        _a = new(_clock, Web);
        _b = new(_clock, Web);
        _a.Tell(); // the channel has asked once
        _b.Tell();
    }

    private static VirtualServer Web => Sample.Web with
    {
        Check = null,
        Protocol = VirtualServerProtocol.Http,
        Scheduler = SchedulerKind.RoundRobin,
        Persistence = new LearnPersistence { Name = "SID", Timeout = Timeout },
    };

    [Fact]
    public void A_session_returns_to_the_same_real_server_on_the_peer()
    {
        _a.Learn("s1", realServer: 1);

        Assert.Equal(1, _b.Hear(_a.Tell()));

        Assert.Equal([1, 1, 1], [_b.Ask("s1"), _b.Ask("s1"), _b.Ask("s1")]);
        Assert.Empty(_b.Tell());
    }

    [Fact]
    public void Is_as_old_at_the_peer_as_it_is_here()
    {
        _a.Learn("s1", realServer: 1);
        _clock.Advance(Timeout * 0.75);
        _b.Hear(_a.Everything());

        _clock.Advance(Timeout * 0.2);
        Assert.Equal(1, _b.Count);
        _clock.Advance(Timeout * 0.1);
        Assert.Equal(0, _b.Count);
    }

    [Fact]
    public void What_is_told_does_not_hold_the_id()
    {
        _a.Learn("a-secret-session-id", realServer: 1);

        byte[] told = Assert.Single(_a.Tell());

        Assert.True(told.AsSpan().IndexOf("secret"u8) < 0);
    }

    [Fact]
    public void A_session_that_moved_follows_to_its_new_real_server()
    {
        _a.Learn("s1", realServer: 1);
        _b.Hear(_a.Tell());
        _a.Learn("s1", realServer: 0);

        _clock.Advance(TimeSpan.FromSeconds(1));
        _a.Ask("s1");
        _b.Hear(_a.Tell());

        Assert.Equal(0, _b.Ask("s1"));
    }
}
