using Bascule.Core.Model;
using Bascule.Core.Roles;
using static Bascule.Vrrp.VrrpActions;

namespace Bascule.Vrrp.Tests;

/// <summary>Instances that move together.</summary>
public sealed class JudgeGroupTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Skew = 0.5 * Interval;
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);

    private readonly Judge _web;
    private readonly Judge _inside;
    private TimeSpan _now = Noon;

    public JudgeGroupTests()
        : this(128)
    {
    }

    private JudgeGroupTests(byte priority)
    {
        _web = new(Instances.Named("web-vip") with { Priority = priority }, []);
        _inside = new(Instances.Named("inside-vip") with { Priority = priority }, []);
        _ = new JudgeGroup([_web, _inside]);
        foreach (Judge judge in (Judge[])[_web, _inside])
            judge.SetWell(Judge.OwnInterface, true, _now);
    }

    [Fact]
    public void Nobody_runs_before_all_are_started_and_well()
    {
        _web.Start(_now);
        Assert.Equal(Role.Initialize, _web.Role);

        _inside.Start(_now);

        Assert.Equal((Role.Backup, Role.Backup), (_web.Role, _inside.Role));
    }

    [Fact]
    public void All_become_active_when_the_last_one_s_timer_has_run_out()
    {
        Start();
        _now += Interval;
        _inside.Hear(From(128), 0, _now);
        TimeSpan first = _web.Due, last = _inside.Due;

        Assert.Equal(None, _web.Tick(first));
        Assert.Equal(Role.Backup, _web.Role);
        Assert.Equal(TakeAddresses | Advertise | Announce, _inside.Tick(last));

        Assert.True(_web.Due < last); // at once
        Assert.Equal(TakeAddresses | Advertise | Announce, _web.Tick(last));
        Assert.Equal((Role.Active, TransitionReason.SyncGroup), (_web.Role, _web.Reason));
        Assert.Equal(last + Interval, _web.Due);
    }

    [Fact]
    public void As_long_as_a_stronger_router_serves_for_one_all_stay_backup()
    {
        Start();

        for (TimeSpan end = _now + (50 * Interval); _now < end; _now += Interval)
            Assert.Equal(None, _inside.Hear(From(200), 1, _now) | _web.Tick(_now) | _inside.Tick(_now));
    }

    [Fact]
    public void Who_wanted_to_be_active_and_hears_a_stronger_one_wants_it_no_more()
    {
        Start();
        _now = _web.Due;
        _inside.Hear(From(200), 1, _now);
        _web.Tick(_now);                 // wants it
        _web.Hear(From(200), 1, _now);   // and no more

        Assert.Equal(None, _inside.Tick(_now + (3 * Interval) + Skew));
        Assert.Equal(Role.Backup, _inside.Role);
    }

    [Fact]
    public void When_one_gives_way_all_do_and_say_goodbye()
    {
        StartActive();

        Assert.Equal(DropAddresses, _web.Hear(From(200), 1, _now));

        Assert.True(_inside.Due < _now);
        Assert.Equal(DropAddresses | SayGoodbye, _inside.Tick(_now));
        Assert.Equal((Role.Backup, TransitionReason.SyncGroup), (_inside.Role, _inside.Reason));
    }

    [Fact]
    public void When_one_hands_over_all_do()
    {
        StartActive();

        Assert.Equal(DropAddresses | SayGoodbye, _inside.HandOver(_now));
        Assert.Equal(DropAddresses | SayGoodbye, _web.Tick(_now));
    }

    [Fact]
    public void A_fault_of_one_holds_all_back_until_it_is_well()
    {
        StartActive();

        Assert.Equal(DropAddresses | SayGoodbye, _web.SetWell(Judge.OwnInterface, false, _now));
        Assert.Equal(DropAddresses | SayGoodbye, _inside.Tick(_now));
        Assert.Equal((Role.Initialize, TransitionReason.Tracked), (_web.Role, _web.Reason));
        Assert.Equal((Role.Initialize, TransitionReason.SyncGroup), (_inside.Role, _inside.Reason));

        _web.SetWell(Judge.OwnInterface, true, _now);
        Assert.Equal((Role.Backup, Role.Backup), (_web.Role, _inside.Role));
    }

    [Fact]
    public void Who_slept_with_the_others_says_no_goodbye_either()
    {
        StartActive();

        Assert.Equal(DropAddresses, _web.Tick(_now + (5 * Interval)));
        Assert.Equal(DropAddresses, _inside.Tick(_now + (5 * Interval)));
        Assert.Equal(TransitionReason.Overslept, _inside.Reason);
    }

    [Fact]
    public void What_became_active_and_gave_way_before_anything_was_done_takes_nothing()
    {
        Start();
        _now = _web.Due;
        _web.Tick(_now);
        _inside.Tick(_now);              // all are Active; what web has to do waits
        Assert.Equal(DropAddresses, _inside.Hear(From(200), 1, _now));

        Assert.Equal(DropAddresses | SayGoodbye, _web.Tick(_now));
    }

    [Fact]
    public void Owners_are_active_as_soon_as_all_are_started()
    {
        JudgeGroupTests owners = new(Advertisement.Owner);

        Assert.Equal(None, owners._web.Start(_now));
        Assert.Equal(TakeAddresses | Advertise | Announce, owners._inside.Start(_now));
        Assert.Equal(TakeAddresses | Advertise | Announce, owners._web.Tick(_now));
    }

    private static Advertisement From(byte priority) => new(VrrpVersion.V3, 51, priority, Interval);

    private void Start()
    {
        _web.Start(_now);
        _inside.Start(_now);
    }

    private void StartActive()
    {
        Start();
        _now = _web.Due;
        _web.Tick(_now);
        _inside.Tick(_now);
        _web.Tick(_now);
        Assert.Equal((Role.Active, Role.Active), (_web.Role, _inside.Role));
    }
}
