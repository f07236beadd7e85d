using Bascule.Core.Roles;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Tests.Peers;

/// <summary>What two directors learn of each other from heartbeats, over links that lose, repeat and come back from the past.</summary>
public sealed class PeerViewTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan Patience = PeerView.MissedHeartbeats * Interval;
    private static readonly HeartbeatInstance Serving = new(51, Role.Active, 150, 0, 4 * Interval, 1);

    private readonly Random _random = new(1);
    private readonly PeerView _a;
    private PeerView _b;
    private TimeSpan _now = TimeSpan.FromHours(12);

    public PeerViewTests()
    {
        _a = View("a", "b");
        _b = View("b", "a");
    }

    [Fact]
    public void Two_directors_believe_each_other_once_each_has_answered()
    {
        Assert.Equal(HeartbeatOutcome.Unconfirmed, _b.Hear(0, From(_a), _now));
        Assert.False(_b.IsHeard(_now));

        Assert.Equal(HeartbeatOutcome.Taken, _a.Hear(0, From(_b), _now));
        Assert.Equal(HeartbeatOutcome.Taken, _b.Hear(0, From(_a), _now));
        Assert.True(_a.IsHeard(_now) && _b.IsHeard(_now));
    }

    [Fact]
    public void What_a_peer_says_is_known_with_its_age()
    {
        Meet();
        _a.WeDrain = true;
        _a.OurConfigurationVersion = 17;

        _b.Hear(0, From(_a, 0, Serving), _now);

        Assert.Equal((_now, true, 17UL), (_b.LastHeard, _b.IsDraining, _b.ConfigurationVersion));
        Assert.True(_b.TryFind(51, out HeartbeatInstance says));
        Assert.Equal(Serving, says);
        Assert.False(_b.TryFind(52, out _));
    }

    [Fact]
    public void A_peer_is_not_heard_any_more_after_eight_intervals()
    {
        Meet();

        Assert.True(_b.IsHeard(_now + Patience - TimeSpan.FromMicroseconds(1)));
        Assert.False(_b.IsHeard(_now + Patience));
    }

    [Fact]
    public void A_heartbeat_counts_once()
    {
        Meet();
        byte[] heartbeat = From(_a);

        Assert.Equal(HeartbeatOutcome.Taken, _b.Hear(0, heartbeat, _now));
        Assert.Equal(HeartbeatOutcome.Replayed, _b.Hear(0, heartbeat, _now));
        Assert.Equal(HeartbeatOutcome.Replayed, _b.Hear(1, heartbeat, _now)); // nor on another link
        Assert.Equal(1, _b.Links[0].Rejected);
    }

    [Fact]
    public void The_same_round_over_another_link_is_no_news()
    {
        Meet();
        _a.BeginRound();

        Assert.Equal(HeartbeatOutcome.Taken, _b.Hear(0, Written(_a, 0), _now));
        Assert.Equal(HeartbeatOutcome.Repeated, _b.Hear(1, Written(_a, 1), _now));
        Assert.Equal(0, _b.Links[1].Rejected);
    }

    [Fact]
    public void What_a_slow_link_brings_late_does_not_undo_what_a_fast_one_brought()
    {
        Meet();
        _a.BeginRound();
        byte[] slow = Written(_a, 1, Serving);
        _b.Hear(0, From(_a, 0, Serving with { Role = Role.Backup }), _now);

        Assert.Equal(HeartbeatOutcome.Repeated, _b.Hear(1, slow, _now));
        Assert.Equal(Role.Backup, _b.Says[0].Role);
    }

    [Fact]
    public void Gaps_are_counted_as_lost_on_the_link_where_they_are()
    {
        Meet();
        for (int round = 0; round < 5; round++)
        {
            _a.BeginRound();
            byte[] first = Written(_a, 0), second = Written(_a, 1);
            _b.Hear(0, first, _now);
            if (round is 0 or 3)
                _b.Hear(1, second, _now);
        }

        Assert.Equal(0, _b.Links[0].Lost);
        Assert.Equal(2, _b.Links[1].Lost);
        Assert.Equal(2, _b.Links[1].Received);
    }

    [Fact]
    public void A_link_is_one_way_when_we_hear_it_and_it_says_that_it_does_not_hear_us()
    {
        Meet(links: 2);
        Assert.Equal(true, _b.HearsUsOn(1, _now));

        for (int round = 0; round < 10; round++)
        {
            _now += Interval;
            _a.BeginRound();
            _b.BeginRound();
            _b.Hear(0, Written(_a, 0), _now);
            _b.Hear(1, Written(_a, 1), _now);
            _a.Hear(0, Written(_b, 0), _now); // what b says over link 1 is lost
        }

        Assert.True(_b.IsOneWay(1, _now));
        Assert.False(_b.IsOneWay(0, _now));
        Assert.True(_b.HearsUs);
        Assert.False(_a.IsHeard(1, _now));
        Assert.False(_a.IsOneWay(1, _now));
    }

    [Fact]
    public void Links_may_be_listed_in_another_order_by_the_other_director()
    {
        for (int round = 0; round < 3; round++)
        {
            _b.Hear(1, From(_a, 0), _now);
            _a.Hear(0, From(_b, 1), _now);
        }

        Assert.Equal(true, _b.HearsUsOn(1, _now));
        Assert.Null(_b.HearsUsOn(0, _now));
    }

    [Fact]
    public void A_new_life_is_believed_once_it_has_answered_us()
    {
        Meet();
        _b = View("b", "a");
        _now += Patience; // the old one is not heard any more

        Assert.Equal(HeartbeatOutcome.Unconfirmed, _a.Hear(0, From(_b), _now));
        _b.Hear(0, From(_a), _now);
        Assert.Equal(HeartbeatOutcome.Taken, _a.Hear(0, From(_b), _now));
    }

    [Fact]
    public void A_recording_of_a_former_life_is_never_believed()
    {
        Meet();
        _b.BeginRound();
        byte[] neverArrived = Written(_b, 0, Serving), neverArrivedEither = Written(_b, 1, Serving);
        _b = View("b", "a");
        _now += Patience;
        Meet();

        Assert.Equal(HeartbeatOutcome.Unconfirmed, _a.Hear(0, neverArrived, _now));
        Assert.False(_a.TryFind(51, out _));
        _now += Patience; // and not when the true one is silent, either
        Assert.Equal(HeartbeatOutcome.Unconfirmed, _a.Hear(0, neverArrivedEither, _now));
        Assert.False(_a.IsHeard(_now));
        Assert.False(_a.IsConfirmed);
    }

    [Fact]
    public void A_recording_from_before_our_start_is_never_believed()
    {
        Meet();
        byte[] recorded = From(_a, 0, Serving);
        _b = View("b", "a");

        Assert.Equal(HeartbeatOutcome.Unconfirmed, _b.Hear(0, recorded, _now));
        Assert.Equal(HeartbeatOutcome.Unconfirmed, _b.Hear(0, recorded, _now));
        Assert.False(_b.IsHeard(_now));
    }

    [Fact]
    public void What_is_meant_for_another_director_is_refused()
    {
        Meet();
        PeerView toC = View("a", "c"), asC = View("c", "b");

        Assert.Equal(HeartbeatOutcome.WrongPeer, _b.Hear(0, From(toC), _now));
        Assert.Equal(HeartbeatOutcome.WrongPeer, _b.Hear(0, From(asC), _now));
        Assert.Equal(HeartbeatOutcome.WrongPeer, _b.Hear(0, From(_b), _now)); // our own, come back
    }

    private byte[] Written(PeerView view, int link, params HeartbeatInstance[] instances) => Written(view, link, _now, instances);

    private static byte[] Written(PeerView view, int link, TimeSpan now, params HeartbeatInstance[] instances)
    {
        byte[] buffer = new byte[HeartbeatCodec.MaxLength];
        return buffer[..view.Write(link, instances, now, buffer)];
    }

    private PeerView View(string node, string peer) => new(node, peer, 2, "the key of both"u8, Interval, _random);

    private byte[] From(PeerView view, int link = 0, params HeartbeatInstance[] instances)
    {
        view.BeginRound();
        return Written(view, link, _now, instances);
    }

    private void Meet(int links = 1)
    {
        for (int round = 0; round < 3; round++)
        {
            _a.BeginRound();
            _b.BeginRound();
            for (int link = 0; link < links; link++)
            {
                _b.Hear(link, Written(_a, link, _now), _now);
                _a.Hear(link, Written(_b, link, _now), _now);
            }
        }
    }
}
