using Bascule.Vrrp.Handover;

namespace Bascule.Vrrp.Tests.Handover;

/// <summary>The order of a planned handover, at both directors.</summary>
public sealed class HandoverSidesTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly GivingFacts Ready = new(IsTaking: false, PeerIsHeard: true, HandoverWord.Ready, GroupIsReady: true, WhyNotQuiet: null, IsActive: true, Open: 3);
    private static readonly GivingFacts Given = Ready with { IsActive = false };

    [Fact]
    public void Asks_goes_quiet_leaves_and_drains_until_nothing_is_open()
    {
        GivingSide giving = new(3 * Second, 30 * Second);

        Assert.Equal([GivingStep.Ask, GivingStep.BeQuiet, GivingStep.Together, GivingStep.Leave, GivingStep.Drain], Steps(giving, Ready with { IsActive = false }, Second));
        Assert.Empty(Steps(giving, Given, 29 * Second));
        Assert.Equal([GivingStep.End, GivingStep.Done], Steps(giving, Given with { Open = 0 }, 29 * Second));
        Assert.Null(giving.WhyPlain);
    }

    [Fact]
    public void Cuts_off_what_is_open_when_the_time_is_over_and_gives_it_a_second_to_hear()
    {
        GivingSide giving = new(3 * Second, 30 * Second);
        Steps(giving, Given, Second);

        Assert.Equal([GivingStep.CutOff], Steps(giving, Given, 31 * Second));
        Assert.Equal([GivingStep.End, GivingStep.Done], Steps(giving, Given, 32 * Second));
    }

    [Fact]
    public void Leaves_plainly_when_nobody_is_heard_or_ready_in_time_or_the_addresses_cannot_be_silenced()
    {
        Assert.Contains("no heartbeat", WhyPlain(Ready with { PeerIsHeard = false }));
        Assert.Contains("within 3 s", WhyPlain(Ready with { PeerSays = HandoverWord.None }));
        Assert.Contains("cannot pass packets on", WhyPlain(Ready with { PeerSays = HandoverWord.Cannot }));
        Assert.Equal("no nft", WhyPlain(Ready with { WhyNotQuiet = "no nft" }));
    }

    [Fact]
    public void Waits_for_its_group_and_for_a_handover_to_itself_to_end()
    {
        GivingSide grouped = new(3 * Second, 30 * Second), taking = new(3 * Second, 30 * Second);

        Steps(grouped, Ready with { GroupIsReady = false }, 10 * Second);

        Assert.Equal(GivingStep.Together, grouped.Step);
        Assert.Empty(Steps(taking, Ready with { IsTaking = true }, 10 * Second));
    }

    [Fact]
    public void Ends_when_it_is_active_again()
    {
        GivingSide giving = new(3 * Second, 30 * Second);
        Steps(giving, Given, Second);

        Assert.Equal([GivingStep.End, GivingStep.Done], Steps(giving, Ready, 2 * Second));
    }

    [Theory]
    [InlineData(HandoverWord.None, true, 2)]
    [InlineData(HandoverWord.Drains, false, 2)]
    [InlineData(HandoverWord.Drains, true, 40)]
    public void Passes_packets_on_until_the_other_has_drained_is_silent_or_takes_too_long(HandoverWord word, bool isHeard, int seconds)
    {
        TakingSide taking = new(40 * Second);
        Assert.True(taking.Next(new(true, HandoverWord.Asks, null), TimeSpan.Zero));
        Assert.True(taking.Next(new(true, HandoverWord.Asks, true), TimeSpan.Zero));
        Assert.False(taking.Next(new(true, HandoverWord.Drains, true), 39 * Second));

        Assert.True(taking.Next(new(isHeard, word, true), seconds * Second));

        Assert.Equal(TakingStep.Idle, taking.Step);
    }

    private static string? WhyPlain(GivingFacts facts)
    {
        GivingSide giving = new(3 * Second, 30 * Second);
        Steps(giving, facts, TimeSpan.Zero);
        Steps(giving, facts, 3 * Second);
        Assert.Equal(GivingStep.Done, giving.Step);
        return giving.WhyPlain;
    }

    private static List<GivingStep> Steps(GivingSide giving, GivingFacts facts, TimeSpan now)
    {
        List<GivingStep> steps = [];
        while (giving.Next(facts, now))
            steps.Add(giving.Step);
        return steps;
    }
}
