using Bascule.Core.Model;
using Bascule.Core.Roles;
using static Bascule.Vrrp.VrrpActions;
namespace Bascule.Vrrp.Tests;

/// <summary>RFC 9568 §6.4, case by case, in the RFC's order.</summary>
public sealed class RouterTests
{
    private const byte Ours = 128;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Skew = 0.5 * Interval; // (256 - 128) / 256
    private static readonly TimeSpan Noon = TimeSpan.FromHours(12);
    private static readonly VirtualRouter Self = new() { Id = 51, Interval = Interval };

    // §6.1

    [Fact]
    public void Skew_is_a_share_of_the_active_router_s_interval_6_1() => Assert.Equal(Skew, new Router(Self, Ours).SkewTime);

    [Fact]
    public void Skew_of_version_2_is_a_share_of_a_second() => Assert.Equal(TimeSpan.FromSeconds(0.5), new Router(Self with { Version = VrrpVersion.V2 }, Ours).SkewTime);

    [Fact]
    public void A_skew_below_a_millisecond_is_not_rounded_away() =>
        Assert.Equal(TimeSpan.FromMicroseconds(78.1), new Router(Self with { Interval = TimeSpan.FromMilliseconds(10) }, 254).SkewTime);

    [Fact]
    public void The_active_router_may_be_silent_for_three_intervals_and_the_skew_6_1() =>
        Assert.Equal((3 * Interval) + Skew, new Router(Self, Ours).ActiveDownInterval);

    // §6.4.1 Initialize

    [Fact]
    public void The_owner_of_the_addresses_is_active_at_once_6_4_1()
    {
        Router router = new(Self, Advertisement.Owner);

        Assert.Equal(TakeAddresses | Advertise | Announce, router.Start(Noon));
        Assert.Equal(Role.Active, router.Role);
        Assert.Equal(Noon + Interval, router.Due);
    }

    [Fact]
    public void Everybody_else_starts_as_backup_and_waits_the_active_down_interval_6_4_1()
    {
        Router router = new(Self, Ours);

        Assert.Equal(None, router.Start(Noon));
        Assert.Equal(Role.Backup, router.Role);
        Assert.Equal(Noon + (3 * Interval) + Skew, router.Due);
    }

    [Fact]
    public void Who_has_not_started_hears_nothing_6_4_1()
    {
        Router router = new(Self, Ours);

        Assert.Equal(None, router.Hear(From(0), -1, Noon));
        Assert.Equal(Role.Initialize, router.Role);
        Assert.Equal(TimeSpan.MaxValue, router.Due);
    }

    [Fact]
    public void A_start_forgets_the_interval_that_was_learned_6_4_1()
    {
        Router router = Backup();
        router.Hear(From(200) with { Interval = 10 * Interval }, 1, Noon);
        router.Stop(Noon);

        router.Start(Noon);

        Assert.Equal(Noon + (3 * Interval) + Skew, router.Due);
    }

    // §6.4.2 Backup

    [Fact]
    public void A_backup_stops_without_a_word_6_4_2()
    {
        Router router = Backup();

        Assert.Equal(None, router.Stop(Noon));
        Assert.Equal(Role.Initialize, router.Role);
        Assert.Equal(TimeSpan.MaxValue, router.Due);
    }

    [Fact]
    public void Takes_over_when_the_active_down_timer_fires_6_4_2()
    {
        Router router = Backup();
        TimeSpan fires = router.Due;

        Assert.Equal(None, router.Tick(fires - TimeSpan.FromMicroseconds(1)));
        Assert.Equal(TakeAddresses | Advertise | Announce, router.Tick(fires));
        Assert.Equal((Role.Active, TransitionReason.Silence, fires), (router.Role, router.Reason, router.Since));
        Assert.Equal(fires + Interval, router.Due);
    }

    [Fact]
    public void Takes_over_after_the_skew_alone_when_the_active_router_says_goodbye_6_4_2()
    {
        Router router = Backup();

        router.Hear(From(Advertisement.Goodbye), -1, Noon + Interval);

        Assert.Equal(Noon + Interval + Skew, router.Due);
        router.Tick(router.Due);
        Assert.Equal(TransitionReason.Goodbye, router.Reason);
    }

    [Theory]
    [InlineData(Ours)]
    [InlineData(Ours + 1)]
    public void An_advertisement_of_at_least_our_priority_starts_the_wait_anew_6_4_2(byte theirs)
    {
        Router router = Backup();

        Assert.Equal(None, router.Hear(From(theirs), -1, Noon + Interval));
        Assert.Equal(Noon + Interval + (3 * Interval) + Skew, router.Due);
    }

    [Fact]
    public void Learns_the_active_router_s_interval_6_4_2()
    {
        Router router = Backup();

        router.Hear(From(200) with { Interval = 10 * Interval }, -1, Noon);

        Assert.Equal(Noon + (30 * Interval) + (10 * Skew), router.Due);
    }

    [Fact]
    public void A_weaker_router_s_advertisement_is_discarded_when_we_preempt_6_4_2()
    {
        Router router = Backup();
        TimeSpan fires = router.Due;

        Assert.Equal(None, router.Hear(From(Ours - 1), -1, Noon + Interval));
        Assert.Equal(fires, router.Due);
        router.Tick(fires);
        Assert.Equal(TransitionReason.Preempted, router.Reason);
    }

    [Fact]
    public void A_weaker_router_is_left_in_peace_when_we_do_not_preempt_6_4_2()
    {
        Router router = Backup(Self with { Preempts = false });

        router.Hear(From(1), -1, Noon + Interval);

        Assert.Equal(Noon + Interval + (3 * Interval) + Skew, router.Due);
    }

    [Fact]
    public void The_owner_preempts_whatever_the_mode_6_1()
    {
        Router router = Backup(Self with { Preempts = false });
        router.Priority = Advertisement.Owner;
        TimeSpan fires = router.Due;

        router.Hear(From(200), -1, Noon + Interval);

        Assert.Equal(fires, router.Due);
    }

    [Fact]
    public void Preempting_waits_for_its_delay_from_the_first_weaker_advertisement()
    {
        TimeSpan delay = TimeSpan.FromSeconds(5);
        Router router = Backup(Self with { PreemptDelay = delay });

        TimeSpan now = Noon;
        for (; router.Role == Role.Backup && now < Noon + (2 * delay); now += Interval)
        {
            router.Hear(From(1), -1, now);
            router.Tick(now);
        }

        Assert.Equal((Role.Active, TransitionReason.Preempted), (router.Role, router.Reason));
        Assert.InRange(router.Since, Noon + delay, Noon + delay + (5 * Interval));
    }

    [Fact]
    public void A_delayed_preemption_does_not_delay_taking_over_from_silence()
    {
        Router router = Backup(Self with { PreemptDelay = TimeSpan.FromHours(1) });
        router.Hear(From(1), -1, Noon + Interval);

        Assert.NotEqual(None, router.Tick(Noon + (4 * Interval) + Skew));
        Assert.Equal(TransitionReason.Silence, router.Reason);
    }

    // §6.4.3 Active

    [Fact]
    public void The_active_router_says_goodbye_when_it_stops_6_4_3()
    {
        Router router = Active();

        Assert.Equal(DropAddresses | SayGoodbye, router.Stop(router.Since));
        Assert.Equal(Role.Initialize, router.Role);
    }

    [Fact]
    public void Speaks_every_interval_6_4_3()
    {
        Router router = Active();
        TimeSpan first = router.Due;

        Assert.Equal(Advertise, router.Tick(first));
        Assert.Equal(first + Interval, router.Due);
    }

    [Fact]
    public void Answers_another_s_goodbye_at_once_6_4_3()
    {
        Router router = Active();
        TimeSpan now = router.Since + (0.3 * Interval);

        Assert.Equal(Advertise, router.Hear(From(Advertisement.Goodbye), 1, now));
        Assert.Equal(now + Interval, router.Due);
    }

    [Theory]
    [InlineData(Ours + 1, -1, TransitionReason.HigherPriority)]
    [InlineData(Ours, 1, TransitionReason.HigherAddress)]
    public void Yields_to_the_stronger_router_6_4_3(byte theirs, int addressOrder, TransitionReason reason)
    {
        Router router = Active();
        TimeSpan now = router.Since + (0.3 * Interval);

        Assert.Equal(DropAddresses, router.Hear(From(theirs) with { Interval = 2 * Interval }, addressOrder, now));
        Assert.Equal((Role.Backup, reason), (router.Role, router.Reason));
        Assert.Equal(now + (6 * Interval) + (2 * Skew), router.Due);
    }

    [Theory]
    [InlineData(Ours - 1, 1)]
    [InlineData(Ours, -1)]
    [InlineData(Ours, 0)] // our own, come back
    public void Asserts_itself_against_the_weaker_router_6_4_3(byte theirs, int addressOrder)
    {
        Router router = Active();

        Assert.Equal(Advertise | Announce, router.Hear(From(theirs), addressOrder, router.Since));
        Assert.Equal(Role.Active, router.Role);
    }

    [Fact]
    public void Speaks_at_its_own_pace_whatever_it_had_learned_6_4_3()
    {
        Router router = Backup();
        router.Hear(From(Ours) with { Interval = 10 * Interval }, 1, Noon);

        TimeSpan fires = router.Due;
        router.Tick(fires);

        Assert.Equal(fires + Interval, router.Due);
    }

    [Fact]
    public void Whoever_stops_has_no_timer_running_6_4_3()
    {
        Router router = Active();

        router.Stop(router.Since);

        Assert.Equal(TimeSpan.MaxValue, router.Due);
        Assert.Equal(None, router.Tick(router.Since + (100 * Interval)));
    }

    [Theory]
    [InlineData(254, 1, Advertise | Announce)]
    [InlineData(Advertisement.Owner, -1, Advertise | Announce)]
    [InlineData(Advertisement.Owner, 1, DropAddresses)]
    public void An_owner_gives_way_to_nobody_but_another_owner_of_a_higher_address_7_1(byte theirs, int addressOrder, VrrpActions expected)
    {
        Router router = new(Self, Advertisement.Owner);
        router.Start(Noon);

        Assert.Equal(expected, router.Hear(From(theirs), addressOrder, Noon));
    }

    // What we do beyond the RFC.

    [Fact]
    public void An_active_router_that_overslept_gives_up_before_it_speaks()
    {
        Router router = Active();

        Assert.Equal(DropAddresses, router.Tick(router.Since + (3 * Interval)));
        Assert.Equal((Role.Backup, TransitionReason.Overslept), (router.Role, router.Reason));
    }

    [Fact]
    public void What_waited_while_it_overslept_is_heard_as_backup()
    {
        Router router = Active();

        Assert.Equal(DropAddresses, router.Hear(From(Ours - 1), -1, router.Since + (3 * Interval)));
        Assert.Equal(Role.Backup, router.Role);
    }

    [Fact]
    public void A_short_nap_costs_nothing()
    {
        Router router = Active();

        Assert.Equal(Advertise, router.Tick(router.Since + (2.9 * Interval)));
    }

    [Fact]
    public void Handing_over_says_goodbye_and_stays_ready()
    {
        Router router = Active();
        TimeSpan now = router.Since;

        Assert.Equal(DropAddresses | SayGoodbye, router.HandOver(now));
        Assert.Equal((Role.Backup, TransitionReason.HandedOver), (router.Role, router.Reason));
        Assert.Equal(now + (3 * Interval) + Skew, router.Due);
        Assert.Equal(None, router.HandOver(now));
    }

    [Fact]
    public void Nothing_is_allocated_once_it_runs()
    {
        Router router = Active();
        TimeSpan now = router.Since;
        Live(router, ref now);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Live(router, ref now);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void Live(Router router, ref TimeSpan now)
    {
        for (int i = 0; i < 1000; i++)
        {
            now += Interval;
            router.Hear(From((byte)i), i % 3 - 1, now);
            router.Tick(now);
        }
    }

    private static Advertisement From(byte priority) => new(VrrpVersion.V3, 51, priority, Interval);

    private static Router Backup(VirtualRouter? self = null)
    {
        Router router = new(self ?? Self, Ours);
        router.Start(Noon);
        return router;
    }

    private static Router Active()
    {
        Router router = Backup();
        router.Tick(router.Due - Skew);
        router.Tick(router.Due);
        return router;
    }
}
