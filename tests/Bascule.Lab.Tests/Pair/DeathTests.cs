using Bascule.Core.Api;
using Bascule.Core.Roles;
using Bascule.Testing;

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

    // A reload of the system's nftables begins with this.
    [PairFact]
    public async Task A_gate_that_somebody_flushed_is_made_again()
    {
        await using PairDirector director = await PairDirector.StartAsync(lab, OurPair.First, new() { More = ["gate: 250ms"] });
        await director.IsAsync(Role.Active);
        await Eventually.HoldsAsync(() => IsOpenAsync().Result, "the gate is open");

        await lab[OurPair.First].RunAsync("nft", "flush", "ruleset");

        await Eventually.HoldsAsync(() => IsOpenAsync().Result, "the gate is open again");
        Assert.Contains("somebody removed the nftables rules of its gate", director.Log, StringComparison.Ordinal);

        async Task<bool> IsOpenAsync() => (await lab[OurPair.First].RunAsync("nft", "list", "ruleset")).Contains("expires", StringComparison.Ordinal);
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

    // Both daemons live by a file that says how wrong their wall clock is; the clocks that count from the machine's start are left alone.
    [PairFact]
    public async Task A_wall_clock_that_jumps_by_a_day_and_back_moves_no_address()
    {
        await using OurPair pair = await OurPair.StartAsync(lab);
        string clock = Path.Combine(lab.Network.Folder, "clock");
        await File.WriteAllTextAsync(clock, "+0");
        string library = Directory.GetDirectories("/usr/lib", "faketime", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(folder => Path.Combine(folder, "libfaketimeMT.so.1")).First(File.Exists);
        string[] wrongly = ["env", $"LD_PRELOAD={library}", $"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
        foreach (PairDirector director in (PairDirector[])[pair.Backup, pair.Active])
        {
            await director.KillAsync();
            await director.StartAgainAsync(wrongly);
        }

        await pair.Backup.IsAsync(Role.Active);
        await pair.Active.IsAsync(Role.Backup);
        await pair.HearEachOtherAsync();
        long began = TimeProvider.System.GetTimestamp();

        foreach (int days in (int[])[1, -1, 0])
        {
            await File.WriteAllTextAsync(clock, $"{days:+0;-0;+0}d");
            await pair.Backup.SeesAsync(ha => (int)double.Round((ha.Now - TimeProvider.System.GetUtcNow()).TotalDays) == days, $"{days} days wrong");
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System); // three times what a takeover needs
        }

        Assert.Equal((Role.Active, 1), await RoleAsync(pair.Backup));
        Assert.Equal((Role.Backup, 0), await RoleAsync(pair.Active));
        Assert.Equal(TimeSpan.Zero, pair.Client.Seen.After(began).Overlap);

        static async Task<(Role Role, long Times)> RoleAsync(PairDirector director) =>
            (await director.HaAsync()).Instances is [var only] ? (only.Role, only.Counters.BecameActive) : default;
    }
}
