using Bascule.Vrrp.Addresses;

namespace Bascule.Vrrp.Tests;

public sealed class AnnouncementScheduleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Noon = 1000 * Second;

    [Fact]
    public void Says_nothing_before_the_addresses_are_taken()
    {
        AnnouncementSchedule schedule = new(new(5, 5 * Second, 60 * Second));

        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
        Assert.False(schedule.TryNext(Noon, 1, out _));
    }

    [Fact]
    public void A_burst_is_paced_and_comes_again_after_the_delay()
    {
        AnnouncementSchedule schedule = new(new(3, 5 * Second, Refresh: TimeSpan.Zero));
        schedule.Begin(Noon);

        Assert.Equal([0, 20, 40, 5000, 5020, 5040], Run(schedule, addresses: 1, until: 60 * Second).Select(sent => sent.At));
    }

    [Fact]
    public void The_refresh_goes_on_while_active_and_counts_from_the_last_burst()
    {
        AnnouncementSchedule schedule = new(new(1, 5 * Second, 60 * Second));
        schedule.Begin(Noon);

        Assert.Equal([0, 5000, 65_000, 125_000], Run(schedule, addresses: 1, until: 130 * Second).Select(sent => sent.At));

        schedule.Stop();
        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
    }

    [Fact]
    public void Many_addresses_leave_room_to_breathe()
    {
        AnnouncementSchedule schedule = new(new(2, Delay: TimeSpan.Zero, Refresh: TimeSpan.Zero));
        schedule.Begin(Noon);

        Assert.Equal(
        [
            (0, new(0, 64, 0)), (1, new(64, 64, 0)), (2, new(128, 22, 0)),
            (22, new(0, 64, 1)), (23, new(64, 64, 1)), (24, new(128, 22, 1)),
        ], Run(schedule, addresses: 150, until: Second));
    }

    [Fact]
    public void After_a_conflict_it_announces_again_at_once_but_not_without_end()
    {
        AnnouncementSchedule schedule = new(new(2, Delay: TimeSpan.Zero, Refresh: TimeSpan.Zero));
        schedule.Begin(Noon);
        Run(schedule, 1, until: 10 * Second);
        List<(int At, Announcements)> sent = [];

        // Another router says every 100 ms that it is Active too.
        for (int i = 0; i < 25; i++)
        {
            TimeSpan at = 10 * Second + (i * 0.1 * Second);
            schedule.Again(Noon + at);
            sent.AddRange(Run(schedule, 1, until: at + (0.1 * Second), from: at));
        }

        Assert.Equal([10_000, 10_020, 11_000, 11_020, 12_000, 12_020], sent.Select(each => each.At));
    }

    [Fact]
    public void An_instance_without_addresses_to_announce_says_nothing()
    {
        AnnouncementSchedule schedule = new(new(5, 5 * Second, 60 * Second));
        schedule.Begin(Noon);

        Assert.False(schedule.TryNext(Noon, addresses: 0, out _));
    }

    // What is announced and when, in milliseconds after noon, by a shell that is never late.
    private static List<(int At, Announcements What)> Run(AnnouncementSchedule schedule, int addresses, TimeSpan until, TimeSpan from = default)
    {
        List<(int, Announcements)> sent = [];
        for (TimeSpan now = Noon + from; now < Noon + until; now = schedule.Due > now ? schedule.Due : now)
        {
            while (schedule.TryNext(now, addresses, out Announcements due))
                sent.Add(((int)(now - Noon).TotalMilliseconds, due));
            if (schedule.Due == TimeSpan.MaxValue)
                break;
        }

        return sent;
    }
}
