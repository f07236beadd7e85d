using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

/// <summary>lblc and lblcr: who asks does not matter, what is asked for does.</summary>
public sealed class LocalityTests
{
    private readonly Farm _farm = new(1, 1, 1);

    public static TheoryData<SchedulerKind> Kinds => [SchedulerKind.LocalityLeastConnection, SchedulerKind.LocalityLeastConnectionReplicated];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Whoever_asks_for_the_same_address_gets_the_same_real_server(SchedulerKind kind)
    {
        Scheduler scheduler = _farm.Scheduler(kind);

        Assert.Equal("AAABBBCAB", Ask(scheduler, 1, 1, 1, 2, 2, 2, 3, 1, 2));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_busy_one_keeps_its_address_as_long_as_nobody_is_half_idle(SchedulerKind kind)
    {
        Scheduler scheduler = _farm.Scheduler(kind);
        Ask(scheduler, 1);
        _farm.SetActive(0, 2);
        _farm.SetActive(1, 1);
        _farm.SetActive(2, 1);
        Assert.Equal("A", Ask(scheduler, 1));

        _farm.SetActive(2, 0);

        Assert.Equal("CC", Ask(scheduler, 1, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_address_moves_when_its_real_server_is_down(SchedulerKind kind)
    {
        Scheduler scheduler = _farm.Scheduler(kind);
        Ask(scheduler, 1);

        _farm.SetHealth(0, isUp: false);

        Assert.Equal("BB", Ask(scheduler, 1, 1));
    }

    [Fact]
    public void Lblc_has_moved_for_good_and_lblcr_comes_home()
    {
        Scheduler lblc = _farm.Scheduler(SchedulerKind.LocalityLeastConnection);
        Scheduler lblcr = _farm.Scheduler(SchedulerKind.LocalityLeastConnectionReplicated);
        Assert.Equal("AA", Ask(lblc, 1) + Ask(lblcr, 1));
        _farm.SetHealth(0, isUp: false);
        Assert.Equal("BB", Ask(lblc, 1) + Ask(lblcr, 1));

        _farm.SetHealth(0, isUp: true);

        Assert.Equal("BA", Ask(lblc, 1) + Ask(lblcr, 1)); // both are in the set, A joined first
    }

    [Fact]
    public void Lblcr_shares_a_busy_address_out_over_its_set()
    {
        Scheduler scheduler = _farm.Scheduler(SchedulerKind.LocalityLeastConnectionReplicated);
        Ask(scheduler, 1);
        _farm.SetActive(0, 2);
        Assert.Equal("B", Ask(scheduler, 1));
        _farm.SetActive(1, 1);
        Assert.Equal("B", Ask(scheduler, 1));

        _farm.SetActive(0, 0);

        Assert.Equal("A", Ask(scheduler, 1)); // and not C, which is as idle but never served it
    }

    [Fact]
    public void Lblcrs_set_loses_its_busiest_after_a_day_without_change()
    {
        Scheduler scheduler = _farm.Scheduler(SchedulerKind.LocalityLeastConnectionReplicated);
        Ask(scheduler, 1);
        _farm.SetActive(0, 2);
        Assert.Equal("B", Ask(scheduler, 1));
        for (int hour = 0; hour < 25; hour++)
        {
            _farm.Clock.Advance(TimeSpan.FromHours(1));
            Assert.Equal("B", Ask(scheduler, 1)); // asked for, so not forgotten
        }

        _farm.SetActive(0, 0);
        _farm.SetActive(1, 1);

        Assert.Equal("B", Ask(scheduler, 1)); // A has left the set
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_address_nobody_asked_for_in_a_day_is_forgotten(SchedulerKind kind)
    {
        Scheduler scheduler = _farm.Scheduler(kind);
        Assert.Equal("A", Ask(scheduler, 1));

        _farm.Clock.Advance(TimeSpan.FromHours(24));

        Assert.Equal("B", Ask(scheduler, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void More_addresses_than_it_remembers_are_served_all_the_same(SchedulerKind kind)
    {
        Scheduler scheduler = _farm.Scheduler(kind);

        string served = Ask(scheduler, [.. Enumerable.Range(0, 100_000)]);

        Assert.All("ABC", letter => Assert.InRange(served.Count(l => l == letter), 33_000, 34_000));
        Assert.Equal(served[^100..], Ask(scheduler, [.. Enumerable.Range(99_900, 100)]));
    }

    private string Ask(Scheduler scheduler, params int[] destinations)
    {
        Random random = new(1);
        return string.Concat(destinations.Select((destination, i) =>
        {
            _farm.Clock.Advance(TimeSpan.FromMilliseconds(1));
            return (char)('A' + scheduler.Pick(new ClientAddress(0, (uint)i, 1, IsIpv4: true).To(new(0, (uint)destination, 0, IsIpv4: true)), default, random));
        }));
    }
}
