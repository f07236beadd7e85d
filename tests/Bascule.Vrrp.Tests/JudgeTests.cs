using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Vrrp.Peers;
using static Bascule.Vrrp.VrrpActions;

namespace Bascule.Vrrp.Tests;

/// <summary>What a director decides for one instance beyond the protocol: with a peer that has heartbeats, and with things that are tracked.</summary>
public sealed class JudgeTests
{
    private const byte Ours = 128;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Skew = 0.5 * Interval;
    private static readonly TimeSpan Heartbeat = Interval / 4;
    private static readonly TimeSpan Deaf = PeerView.MissedHeartbeats * Heartbeat; // until the peer says so
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);
    private static readonly Tracked Route = new TrackedRoute(IPNetwork.Parse("192.0.2.0/24"), 0);
    private static readonly Tracked Process = new TrackedProcess("nginx", 1, 20);

    private readonly Pair _pair = new();
    private TimeSpan _now = Noon;

    // Heartbeats as advertisements.

    [Fact]
    public void A_heartbeat_that_says_active_is_an_advertisement()
    {
        Judge judge = Backup();

        Assert.Equal(None, HearPeer(judge, Role.Active, 200));

        Assert.Equal(_now + (3 * Interval) + (0.5 * Interval), judge.Due);
    }

    [Fact]
    public void A_heartbeat_that_says_backup_is_none()
    {
        Judge judge = Backup();
        TimeSpan due = judge.Due;

        Assert.Equal(None, HearPeer(judge, Role.Backup, 200));
        Assert.Equal(due, judge.Due);
    }

    [Fact]
    public void Heartbeats_alone_keep_a_backup_a_backup()
    {
        Judge judge = Backup();

        for (TimeSpan end = _now + (50 * Interval); _now < end; _now += Heartbeat)
            Assert.Equal(None, judge.Tick(_now) | HearPeer(judge, Role.Active, 200));
    }

    [Fact]
    public void A_goodbye_is_heard_once_however_many_heartbeats_say_it()
    {
        Judge judge = Backup();
        HearPeer(judge, Role.Active, 200);

        HearPeer(judge, Role.Backup, 200, goodbyes: 1);
        TimeSpan due = judge.Due;
        _now += Heartbeat;
        HearPeer(judge, Role.Backup, 200, goodbyes: 1);

        Assert.Equal(_now - Heartbeat + Skew, due);
        Assert.Equal(due, judge.Due);
        judge.Tick(due);
        Assert.Equal(TransitionReason.Goodbye, judge.Reason);
    }

    [Fact]
    public void A_goodbye_of_a_peer_that_has_long_not_been_active_is_not_for_us()
    {
        Judge judge = Backup();
        HearPeer(judge, Role.Active, 200);
        _now += 50 * Interval;
        judge.Hear(From(200), 1, _now); // somebody else has taken over meanwhile
        TimeSpan due = judge.Due;

        HearPeer(judge, Role.Backup, 200, goodbyes: 1);

        Assert.Equal(due, judge.Due);
    }

    [Fact]
    public void Between_equal_priorities_the_address_that_heartbeats_carry_decides()
    {
        Judge judge = Active();
        judge.Source = 2;

        Assert.Equal(Advertise | Announce, HearPeer(judge, Role.Active, Ours, source: 1));
        _now += Interval;
        Assert.Equal(DropAddresses, HearPeer(judge, Role.Active, Ours, source: 3) & ~Advertise);
        Assert.Equal(TransitionReason.HigherAddress, judge.Reason);
    }

    [Fact]
    public void Between_equal_priorities_nothing_is_decided_while_an_address_is_not_known()
    {
        Judge judge = Active();

        Assert.Equal(None, HearPeer(judge, Role.Active, Ours, source: 3));
        Assert.Equal(Role.Active, judge.Role);
    }

    [Fact]
    public void A_weaker_active_peer_is_answered_once_an_interval_although_it_speaks_four_times()
    {
        Judge judge = Active();
        int answers = 0;

        for (TimeSpan end = _now + (8 * Interval); _now < end; _now += Heartbeat)
        {
            if (HearPeer(judge, Role.Active, 1, hearsUs: true).HasFlag(Announce))
                answers++;
        }

        Assert.Equal(8, answers);
    }

    [Fact]
    public void A_peer_that_does_not_know_the_instance_says_nothing_about_it()
    {
        Judge judge = Active(), another = Judge(name: "inside-vip");

        Assert.Equal(None, judge.HearPeer(_pair.Hear(another.Key, Role.Active, 255, _now), _now));
        Assert.Equal(Role.Active, judge.Role);
    }

    [Fact]
    public void Each_time_it_leaves_active_on_purpose_its_heartbeats_say_one_goodbye_more()
    {
        Judge judge = Active();

        judge.HandOver(_now);
        Assert.Equal((1, Role.Backup), (judge.Says.Goodbyes, judge.Says.Role));
        _now = judge.Due;
        judge.Tick(_now);
        judge.Stop(_now);

        Assert.Equal((2, Role.Initialize), (judge.Says.Goodbyes, judge.Says.Role));
    }

    // The one-way rule.

    [Fact]
    public void Gives_way_to_a_weaker_active_peer_that_has_not_heard_it_for_as_long_as_that_would_wait()
    {
        Judge judge = Active();
        TimeSpan start = _now;

        RunDeaf(judge, 1, 20 * Interval);

        Assert.Equal((Role.Backup, TransitionReason.NotHeard), (judge.Role, judge.Reason));
        Assert.InRange(judge.Since - start, Deaf + (4 * Interval), Deaf + (4 * Interval) + (2 * Heartbeat));
    }

    [Fact]
    public void Does_not_preempt_as_long_as_the_peer_does_not_hear_it()
    {
        Judge judge = Active();

        RunDeaf(judge, 1, 20 * Interval);
        TimeSpan since = judge.Since;
        RunDeaf(judge, 1, 200 * Interval);

        Assert.Equal((Role.Backup, since), (judge.Role, judge.Since));
    }

    [Fact]
    public void Preempts_again_once_the_peer_hears_it()
    {
        Judge judge = Active();
        RunDeaf(judge, 1, 20 * Interval);

        for (int i = 0; i < 40 && judge.Role == Role.Backup; i++, _now += Heartbeat)
        {
            HearPeer(judge, Role.Active, 1, hearsUs: true);
            judge.Tick(_now);
        }

        Assert.Equal((Role.Active, TransitionReason.Preempted), (judge.Role, judge.Reason));
    }

    [Fact]
    public void Takes_over_from_a_peer_that_did_not_hear_it_and_has_fallen_silent()
    {
        Judge judge = Active();
        RunDeaf(judge, 1, 20 * Interval);

        judge.Tick(judge.Due);

        Assert.Equal((Role.Active, TransitionReason.Silence), (judge.Role, judge.Reason));
    }

    [Fact]
    public void After_a_silence_of_both_a_peer_that_has_not_heard_it_yet_gets_the_time_to()
    {
        Judge judge = Active();
        RunDeaf(judge, 1, 20 * Interval);
        _now = judge.Due;
        judge.Tick(_now);
        for (TimeSpan end = _now + (20 * Interval); _now < end; _now += Interval)
            judge.Tick(_now);

        HearPeer(judge, Role.Active, 1, hearsUs: false); // links are whole again: its first word

        Assert.Equal(Role.Active, judge.Role);
    }

    [Fact]
    public void A_peer_that_hears_it_on_one_link_gets_no_way()
    {
        Judge judge = Active();

        for (TimeSpan end = _now + (20 * Interval); _now < end; _now += Heartbeat)
        {
            HearPeer(judge, Role.Active, 1, hearsUs: true);
            judge.Tick(_now);
        }

        Assert.Equal(Role.Active, judge.Role);
    }

    [Theory]
    [InlineData(true, Role.Backup)]   // VRRP says so too: a peer that started behind a one-way link
    [InlineData(false, Role.Active)]  // may be a recording
    public void An_unconfirmed_peer_that_does_not_hear_it_is_believed_beside_advertisements_only(bool isAdvertised, Role expected)
    {
        Judge judge = Active();
        _pair.Restart();

        for (TimeSpan end = _now + (20 * Interval); _now < end; _now += Heartbeat)
        {
            if (isAdvertised)
                judge.Hear(From(1), -1, _now);
            HearPeer(judge, Role.Active, 1, hearsUs: false);
            judge.Tick(_now);
        }

        Assert.False(_pair.Ours.IsConfirmed);
        Assert.Equal(expected, judge.Role);
    }

    // Handing over.

    [Fact]
    public void Who_handed_over_leaves_a_weaker_router_in_peace()
    {
        Judge judge = Active();

        Assert.Equal(DropAddresses | SayGoodbye, judge.HandOver(_now));
        for (int i = 0; i < 100; i++, _now += Interval)
            Assert.Equal(None, judge.Hear(From(1), -1, _now) | judge.Tick(_now));
    }

    [Fact]
    public void Even_the_owner_of_the_addresses_stays_backup_when_it_was_asked_to_hand_over()
    {
        Judge judge = Judge(priority: Advertisement.Owner);
        judge.Start(_now);

        judge.HandOver(_now);
        for (int i = 0; i < 100; i++, _now += Interval)
            Assert.Equal(None, judge.Hear(From(1), -1, _now) | judge.Tick(_now));
    }

    [Theory]
    [InlineData(false, TransitionReason.Silence)]
    [InlineData(true, TransitionReason.Goodbye)]
    public void Who_handed_over_takes_the_addresses_back_when_the_other_one_leaves(bool saysGoodbye, TransitionReason reason)
    {
        Judge judge = Active();
        judge.HandOver(_now);
        judge.Hear(From(1), -1, _now);
        if (saysGoodbye)
            judge.Hear(From(Advertisement.Goodbye), -1, _now);

        judge.Tick(judge.Due);

        Assert.Equal((Role.Active, reason), (judge.Role, judge.Reason));
    }

    [Fact]
    public void Having_taken_them_back_it_preempts_as_before()
    {
        Judge judge = Active();
        judge.HandOver(_now);
        judge.Tick(judge.Due);
        _now = judge.Since;

        judge.Hear(From(200), 1, _now);
        judge.Hear(From(1), -1, _now);
        judge.Tick(judge.Due);

        Assert.Equal(TransitionReason.Preempted, judge.Reason);
    }

    // Tracking.

    [Fact]
    public void Takes_no_part_before_everything_of_weight_0_is_known_to_be_well()
    {
        Judge judge = Judge(track: [Route, Process]);
        judge.Start(_now);
        judge.SetWell(Vrrp.Judge.OwnInterface, true, _now);
        Assert.Equal(Role.Initialize, judge.Role);

        judge.SetWell(1, true, _now);

        Assert.Equal((Role.Backup, TransitionReason.Started), (judge.Role, judge.Reason));
    }

    [Fact]
    public void Leaves_active_with_a_goodbye_when_its_interface_goes_down_and_starts_again_when_it_is_up()
    {
        Judge judge = Active();

        Assert.Equal(DropAddresses | SayGoodbye, judge.SetWell(Vrrp.Judge.OwnInterface, false, _now));
        Assert.Equal((Role.Initialize, TransitionReason.Tracked, TimeSpan.MaxValue), (judge.Role, judge.Reason, judge.Due));
        Assert.Equal(None, judge.SetWell(Vrrp.Judge.OwnInterface, true, _now + Interval));
        Assert.Equal((Role.Backup, _now + Interval), (judge.Role, judge.Since));
    }

    [Fact]
    public void What_is_not_well_does_not_start_what_was_stopped()
    {
        Judge judge = Active();
        judge.Stop(_now);

        judge.SetWell(Vrrp.Judge.OwnInterface, false, _now);
        judge.SetWell(Vrrp.Judge.OwnInterface, true, _now);

        Assert.Equal((Role.Initialize, TransitionReason.Stopped), (judge.Role, judge.Reason));
    }

    [Fact]
    public void A_weight_changes_what_it_advertises_and_when_it_takes_over()
    {
        Judge judge = Judge(track: [Process]);
        judge.Start(_now);
        judge.SetWell(Vrrp.Judge.OwnInterface, true, _now);
        Assert.Equal(Ours, judge.Advertisement.Priority);

        judge.SetWell(1, true, _now);

        Assert.Equal(Ours + 20, judge.Advertisement.Priority);
        Assert.Equal((3 * Interval) + (Interval * (256 - Ours - 20) / 256), judge.ActiveDownInterval);
    }

    [Fact]
    public void Leaves_when_somebody_takes_its_address_away_and_comes_back_when_nobody_else_serves()
    {
        Judge judge = Active();

        Assert.Equal(DropAddresses | SayGoodbye, judge.AddressRemoved(_now));
        Assert.Equal((Role.Backup, TransitionReason.AddressRemoved), (judge.Role, judge.Reason));
        Assert.Equal(TakeAddresses | Advertise | Announce, judge.Tick(judge.Due));
    }

    // Sleeping.

    [Fact]
    public void A_nap_of_more_than_half_of_what_the_others_wait_is_followed_by_announcing_again()
    {
        Judge judge = Active();

        Assert.Equal(Advertise | Announce, judge.Tick(_now + (1.8 * Interval)));
        Assert.Equal(Advertise, judge.Tick(_now + (2.9 * Interval)));
    }

    [Fact]
    public void A_lease_longer_than_the_others_wait_does_not_let_it_sleep_longer()
    {
        Judge judge = Active(lease: 50 * Interval);

        Assert.Equal(DropAddresses, judge.Tick(_now + (3 * Interval)));
        Assert.Equal(TransitionReason.Overslept, judge.Reason);
    }

    [Fact]
    public void A_lease_shorter_than_the_others_wait_ends_sooner()
    {
        Judge judge = Active(lease: 2 * Interval);

        Assert.Equal(DropAddresses, judge.Tick(_now + (2 * Interval)));
    }

    private static Advertisement From(byte priority) => new(VrrpVersion.V3, 51, priority, Interval);

    private void RunDeaf(Judge judge, byte priority, TimeSpan duration)
    {
        for (TimeSpan end = _now + duration; _now < end; _now += Heartbeat)
        {
            HearPeer(judge, Role.Active, priority, hearsUs: false);
            judge.Tick(_now);
        }
    }

    private VrrpActions HearPeer(Judge judge, Role role, byte priority, byte goodbyes = 0, UInt128 source = default, bool hearsUs = true) =>
        judge.HearPeer(_pair.Hear(judge.Key, role, priority, _now, goodbyes, source, hearsUs), _now);

    private Judge Judge(byte priority = Ours, string name = "web-vip", Tracked[]? track = null, TimeSpan? lease = null) =>
        new(Instances.Named(name) with { Priority = priority, Track = [.. track ?? []], Lease = lease }, [_pair.Ours]);

    private Judge Backup(TimeSpan? lease = null)
    {
        Judge judge = Judge(lease: lease);
        judge.SetWell(Vrrp.Judge.OwnInterface, true, _now);
        judge.Start(_now);
        return judge;
    }

    private Judge Active(TimeSpan? lease = null)
    {
        Judge judge = Backup(lease);
        _now = judge.Due;
        judge.Tick(_now);
        _pair.Meet(_now);
        return judge;
    }

    /// <summary>Our view of a peer, and that peer.</summary>
    private sealed class Pair
    {
        private readonly Random _random = new(7);
        private readonly byte[] _buffer = new byte[HeartbeatCodec.MaxLength];
        private PeerView _theirs;

        public Pair()
        {
            Ours = View("a", "b");
            _theirs = View("b", "a");
        }

        public PeerView Ours { get; }

        public void Restart() => _theirs = View("b", "a");

        /// <summary>The peer says this of one instance, and we hear it.</summary>
        public PeerView Hear(ulong key, Role role, byte priority, TimeSpan now, byte goodbyes = 0, UInt128 source = default, bool hearsUs = true)
        {
            if (hearsUs)
                Meet(now);
            _theirs.BeginRound();
            int length = _theirs.Write(0, [new(key, role, priority, goodbyes, Interval, source)], now, _buffer);
            Assert.NotEqual(HeartbeatOutcome.Replayed, Ours.Hear(0, _buffer.AsSpan(0, length), now));
            return Ours;
        }

        public void Meet(TimeSpan now)
        {
            for (int i = 0; i < 2; i++)
            {
                Say(Ours, _theirs, now);
                Say(_theirs, Ours, now);
            }

            Say(Ours, _theirs, now);
        }

        private void Say(PeerView from, PeerView to, TimeSpan now)
        {
            from.BeginRound();
            int length = from.Write(0, [], now, _buffer);
            to.Hear(0, _buffer.AsSpan(0, length), now);
        }

        private PeerView View(string node, string peer) => new(node, peer, 1, "the key of both"u8, Heartbeat, _random);
    }
}
