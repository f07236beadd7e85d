using Bascule.Core.Api;
using Bascule.Core.Roles;

namespace Bascule.Lab.Tests.Pair;

/// <summary>A director dies, sleeps, stops: the other answers, and never both for longer than a lease.</summary>
[Collection("Pair")]
public sealed class DeathTests(PairFixture lab)
{
    private static readonly TimeSpan Outage = TimeSpan.FromMilliseconds(400);

    [PairTheory]
    [InlineData("gate: off")]
    [InlineData("gate: 250ms")]
    public async Task A_killed_director_is_replaced_within_400_ms_and_answers_no_longer_than_its_lease(string gate)
    {
        await using OurPair pair = await OurPair.StartAsync(lab, new() { More = [gate] });
        long killed = TimeProvider.System.GetTimestamp();

        await pair.Active.KillAsync();

        await Takeover.AnswersAsync(pair.Client, OurPair.Second, killed);
        await Task.Delay(OurPair.Lease);
        long died = TimeProvider.System.GetTimestamp();
        await Task.Delay(100); // what is left of the first one shows by now
        Timeline seen = pair.Client.Seen;
        Assert.InRange(seen.Outage(Sight.Service), TimeSpan.FromMilliseconds(200), Outage);
        Assert.InRange(seen.Overlap, TimeSpan.Zero, gate == "gate: off" ? OurPair.Lease : TimeSpan.FromMilliseconds(20));
        Assert.DoesNotContain(seen.After(died).Of(Sight.Owner), s => OurPair.IsFrom(s, OurPair.First));
    }

    [PairTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_director_that_slept_gives_up_before_it_says_anything(bool frozen)
    {
        await using OurPair pair = await OurPair.StartAsync(lab);
        LabWatch words = await pair.ListenAsync(lab, OurPair.First);
        using Freezer? freezer = frozen && Freezer.IsThere ? new(pair.Active.Id) : null;
        long slept = TimeProvider.System.GetTimestamp();

        Sleep();
        await Takeover.AnswersAsync(pair.Client, OurPair.Second, slept);
        await Task.Delay(TimeSpan.FromSeconds(2)); // longer than its lease
        long woke = TimeProvider.System.GetTimestamp();
        Wake();
        HaStatus status = await pair.Active.IsAsync(Role.Backup);
        await Takeover.IsHeardAsync(words, OurPair.Second);

        Assert.Equal(TransitionReason.Overslept, status.Instances[0].Reason);
        Assert.DoesNotContain(words.Seen.After(woke).All, s => s.What is Sight.Advertisement or Sight.Announcement && OurPair.IsFrom(s, OurPair.First));
        Assert.InRange(pair.Client.Seen.Overlap, TimeSpan.Zero, OurPair.Lease);
        Assert.InRange(pair.Client.Seen.Outage(Sight.Answer), TimeSpan.Zero, Outage);

        void Sleep()
        {
            if (freezer is not null)
                freezer.Freeze();
            else
                pair.Active.Pause();
        }

        void Wake()
        {
            if (freezer is not null)
                freezer.Thaw();
            else
                pair.Active.Continue();
        }
    }

    [PairFact]
    public async Task What_a_former_life_left_is_cleaned_at_start()
    {
        await using PairDirector first = await PairDirector.StartAsync(lab, OurPair.First, new() { More = ["lease: off"] });
        await first.IsAsync(Role.Active);
        await first.KillAsync();
        Assert.Contains(PairPlan.VirtualAddress, await AddressesAsync(), StringComparison.Ordinal);
        await using PairDirector second = await PairDirector.StartAsync(lab, OurPair.Second, new());
        await second.IsAsync(Role.Active);

        await first.StartAgainAsync();
        await first.IsAsync(Role.Backup);

        Assert.DoesNotContain(PairPlan.VirtualAddress, await AddressesAsync(), StringComparison.Ordinal);

        Task<string> AddressesAsync() => lab[OurPair.First].RunAsync("ip", "-o", "address", "show", "dev", "eth0");
    }

    [PairFact]
    public async Task A_director_that_counts_time_from_another_beginning_is_like_any_other()
    {
        await using OurPair pair = await OurPair.StartAsync(lab);
        await pair.Backup.StopAsync();
        await pair.Backup.StartAgainAsync(["unshare", "--time", "--monotonic", "100000", "--boottime", "200000", "--fork", "--kill-child"]);
        await pair.HearEachOtherAsync();
        long killed = TimeProvider.System.GetTimestamp();

        await pair.Active.KillAsync();

        await Takeover.AnswersAsync(pair.Client, OurPair.Second, killed);
        Assert.InRange(pair.Client.Seen.After(killed).Outage(Sight.Service), TimeSpan.Zero, Outage);
    }
}
