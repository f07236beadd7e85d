using Bascule.Core.Api;
using Bascule.Core.Roles;

namespace Bascule.Lab.Tests.Pair;

/// <summary>What our director says on the wire, and what it does with what others say.</summary>
[Collection("Pair")]
public sealed class WireTests(PairFixture lab)
{
    [PairTheory]
    [InlineData(3, PairPlan.VirtualAddress + "/24", "VRRPv3")]
    [InlineData(2, PairPlan.VirtualAddress + "/24", "VRRPv2")]
    [InlineData(3, PairPlan.VirtualAddress6 + "/64", "VRRPv3")]
    public async Task Tcpdump_reads_our_packets_without_a_complaint(int version, string address, string words)
    {
        await using Capture capture = await Capture.StartAsync(lab.Network, lab["stranger"], "eth0", "ip proto 112 or ip6 proto 112 or arp or icmp6");
        await using LabWatch watch = await lab.WatchAsync(address.Split('/')[0]);
        await using PairDirector director = await PairDirector.StartAsync(lab, "director-1", new()
        {
            HasPeer = false,
            Version = version,
            Interval = version == 2 ? "1s" : "100ms",
            Address = address,
        });

        await Takeover.AnswersAsync(watch, "director-1");
        await Takeover.IsHeardAsync(watch, "director-1");

        string[] packets = await capture.RightPacketsAsync();
        Assert.Contains(packets, packet => packet.Contains(words, StringComparison.Ordinal));
        Assert.NotEmpty(watch.Seen.Of(Sight.Announcement));
    }

    [PairFact]
    public async Task A_stronger_stranger_is_yielded_to_and_when_it_falls_silent_the_address_comes_back()
    {
        await using LabWatch watch = await lab.WatchAsync();
        await using PairDirector director = await PairDirector.StartAsync(lab, "director-1", new() { HasPeer = false });
        using Stranger stranger = new(lab["stranger"], PairPlan.Stranger);
        await director.IsAsync(Role.Active);

        stranger.Send3(priority: 200);

        await director.SeesAsync(ha => ha.Instances[0].Transitions.Any(t => t.To == Role.Backup && t.Reason == TransitionReason.HigherPriority), "yielded");
        await director.IsAsync(Role.Active);
        Assert.Equal(PairPlan.Stranger, (await director.HaAsync()).Instances[0].Heard?.Address);
    }

    [PairFact]
    public async Task Wrong_messages_are_counted_by_what_is_wrong_and_change_nothing()
    {
        await using PairDirector director = await PairDirector.StartAsync(lab, "director-1", new() { HasPeer = false });
        using Stranger stranger = new(lab["stranger"], PairPlan.Stranger);
        await director.IsAsync(Role.Active);

        stranger.Send3(wrong: true);
        stranger.Send3(timeToLive: 254);
        stranger.Send3(router: 52);
        stranger.Send2();

        HaStatus status = await director.SeesAsync(ha => ha.Instances[0].Counters.Rejected.Count >= 4, "counted");
        Assert.Equal(["otherVirtualRouter", "wrongChecksum", "wrongTimeToLive", "wrongVersion"], status.Instances[0].Counters.Rejected.Keys);
        Assert.Equal(0, status.Instances[0].Counters.Received);
        Assert.Equal(1, status.Instances[0].Counters.BecameActive);
        Assert.Equal(Role.Active, status.Instances[0].Role);
    }

    [PairFact]
    public async Task In_version_2_a_wrong_password_or_interval_is_refused_and_the_right_ones_are_heard()
    {
        await using PairDirector director = await PairDirector.StartAsync(lab, "director-1", new()
        {
            HasPeer = false,
            Version = 2,
            Interval = "1s",
            More = ["authentication: { password: secret }"],
        });
        using Stranger stranger = new(lab["stranger"], PairPlan.Stranger);

        stranger.Send2(password: "guessed");
        stranger.Send2();
        stranger.Send2(password: "secret", seconds: 2);
        HaStatus refused = await director.SeesAsync(ha => ha.Instances[0].Counters.Rejected.Values.Sum() == 3, "refused");
        stranger.Send2(password: "secret");
        HaStatus heard = await director.SeesAsync(ha => ha.Instances[0].Counters.Received == 1, "heard");

        Assert.Null(refused.Instances[0].Heard);
        Assert.Equal((PairPlan.Stranger, (byte)200), (heard.Instances[0].Heard!.Address, heard.Instances[0].Heard!.Priority));
    }

    [PairFact]
    public async Task In_version_3_the_interval_of_the_one_that_serves_is_learned_and_counted()
    {
        await using LabWatch watch = await lab.WatchAsync();
        await using PairDirector director = await PairDirector.StartAsync(lab, "director-1", new() { HasPeer = false, Interval = "1s" });
        using Stranger stranger = new(lab["stranger"], PairPlan.Stranger);

        long sent = TimeProvider.System.GetTimestamp();
        stranger.Send3(centiseconds: 10);
        Sighting answer = await Takeover.AnswersAsync(watch, "director-1", sent);

        // RFC 9568 §6.4.2: it waits 3.6 intervals of 100 ms now, not of the second that it was told itself.
        Assert.InRange(TimeProvider.System.GetElapsedTime(sent, answer.At), TimeSpan.FromMilliseconds(340), TimeSpan.FromMilliseconds(2500));
        Assert.Equal(1, (await director.HaAsync()).Instances[0].Counters.ReceivedOtherInterval);
    }
}
