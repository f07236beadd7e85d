using System.Diagnostics;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Roles;
using Bascule.Linux.Process;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Cables break, lose and lie: one owner, or none for no longer than it takes to notice.</summary>
[Collection("Pair")]
public sealed class LinkTests(PairFixture lab)
{
    private static readonly TimeSpan Outage = TimeSpan.FromMilliseconds(400);

    [PairFact]
    public async Task A_pulled_cable_moves_every_instance_of_the_group_and_plugged_in_again_moves_nothing()
    {
        await using Faults faults = new(lab);
        await using OurPair pair = await OurPair.StartAsync(lab, Group);
        long pulled = TimeProvider.System.GetTimestamp();

        await faults.PullAsync(OurPair.First, "lan");
        await Takeover.AnswersAsync(pair.Client, OurPair.Second, pulled);
        await pair.Backup.IsAsync(Role.Active);
        await pair.Active.SeesAsync(ha => ha.Instances.All(i => i.Role != Role.Active), "given up both");
        await faults.PlugAsync(OurPair.First, "lan");
        await pair.Active.IsAsync(Role.Backup);

        Assert.InRange(pair.Client.Seen.Outage(Sight.Service), TimeSpan.Zero, Outage);
        Assert.Equal(TimeSpan.Zero, pair.Client.Seen.Overlap);
        Assert.All((await pair.Backup.HaAsync()).Instances, i => Assert.Equal((Role.Active, 1), (i.Role, i.Counters.BecameActive)));
    }

    [PairFact]
    public async Task When_two_that_could_not_hear_each_other_meet_again_one_yields_and_the_client_goes_to_the_other()
    {
        await using Faults faults = new(lab);
        await using OurPair pair = await OurPair.StartAsync(lab);

        await faults.PartAsync();
        await pair.Backup.IsAsync(Role.Active); // nobody can tell it that the other one lives: there are only two
        await faults.MendAsync();
        await pair.Active.IsAsync(Role.Backup); // equal priorities: the lower address yields
        long healed = TimeProvider.System.GetTimestamp();
        await Takeover.AnswersAsync(pair.Client, OurPair.Second, healed);
        await pair.HearEachOtherAsync();

        Timeline after = pair.Client.Seen.After(healed);
        Assert.DoesNotContain(after.Of(Sight.Owner), s => OurPair.IsFrom(s, OurPair.First));
        Assert.Equal(Role.Active, (await pair.Backup.HaAsync()).Instances[0].Role);
    }

    [PairFact]
    public async Task A_director_that_nobody_hears_yields_and_its_links_are_shown_as_one_way()
    {
        await using Faults faults = new(lab);
        await using OurPair pair = await OurPair.StartAsync(lab);

        foreach (string segment in PairPlan.Segments)
            await faults.DropWhatIsSentByAsync(OurPair.First, segment);

        await pair.Backup.IsAsync(Role.Active);
        HaStatus unheard = await pair.Active.IsAsync(Role.Backup);
        await pair.Active.SeesAsync(ha => ha.Peers[0].Links.All(l => l.IsHeard && l.HearsUs == false), "shown as one way");
        Assert.Contains(unheard.Instances[0].Reason, (TransitionReason[])[TransitionReason.NotHeard, TransitionReason.HigherAddress]);
        Assert.InRange(pair.Client.Seen.Overlap, TimeSpan.Zero, OurPair.Lease);
    }

    [PairFact]
    public async Task One_of_two_links_may_be_one_way_cut_or_flapping_and_nothing_changes()
    {
        await using Faults faults = new(lab);
        await using OurPair pair = await OurPair.StartAsync(lab);

        await faults.DropWhatIsSentByAsync(OurPair.First, "heart");
        await pair.Active.SeesAsync(ha => ha.Peers[0].Links.Count(l => l.HearsUs == false) == 1, "shown as one way");
        await faults.MendAsync();
        await faults.LoseAsync(100, "lan"); // the heart alone carries their words
        await pair.Backup.SeesAsync(ha => ha.Peers[0].Links.Count(l => !l.IsHeard) == 1, "shown as silent");
        await faults.MendAsync();
        for (int i = 0; i < 4; i++)
        {
            await faults.PullAsync(OurPair.Second, "heart");
            await Task.Delay(500);
            await faults.PlugAsync(OurPair.Second, "heart");
            await Task.Delay(500);
        }

        await pair.HearEachOtherAsync();
        await pair.AssertNothingChangedAsync();
    }

    [PairFact]
    public async Task Three_of_ten_packets_lost_change_nothing()
    {
        await using Faults faults = new(lab);
        await using OurPair pair = await OurPair.StartAsync(lab);

        foreach (string segment in PairPlan.Segments)
            await faults.LoseAsync(30, segment);
        await Task.Delay(TimeSpan.FromSeconds(20)); // 800 heartbeats; the simulator loses them for ten minutes

        await pair.AssertNothingChangedAsync();
        Assert.All((await pair.Backup.HaAsync()).Peers[0].Links, l => Assert.InRange(l.Lost / (double)(l.Lost + l.Received), 0.2, 0.4)); // it was so
    }

    [PairFact]
    public async Task A_busy_machine_and_a_busy_collector_change_nothing()
    {
        await using OurPair pair = await OurPair.StartAsync(lab);
        Process[] busy = [.. Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => Tool.Start("timeout", ["8", "sh", "-c", "while :; do :; done"]))];
        Process[] askers = [.. ((string[])[OurPair.First, OurPair.Second]).Select(d => lab[d].StartTalking("timeout", "8", "sh", "-c",
            $"while :; do curl -s --unix-socket {lab.Network.Folder}/{d}/admin.sock http://bascule/v1/status > /dev/null; done"))]; // each answer is garbage to collect

        await Task.WhenAll([.. busy.Concat(askers).Select(p => p.WaitForExitAsync())]);

        await pair.AssertNothingChangedAsync();
        Array.ForEach([.. busy, .. askers], p => p.Dispose());
    }

    [PairFact]
    public async Task Replayed_and_forged_heartbeats_are_counted_and_change_nothing()
    {
        await using OurPair pair = await OurPair.StartAsync(lab);
        using Socket wire = NetworkNamespace.Run($"/run/netns/{lab["switch"].Namespace}", () => PacketSocket.Open(PairPlan.PortOf(OurPair.Second, "heart")));
        long before = Rejected(await pair.Backup.HaAsync());
        byte[] frame = Heartbeat(wire);

        for (int i = 0; i < 50; i++)
            wire.Send(frame); // older than what has come since
        (frame[40], frame[41]) = (0, 0); // no UDP checksum, or the kernel would drop what follows
        frame[^1] ^= 1;
        for (int i = 0; i < 50; i++)
            wire.Send(frame);

        await pair.Backup.SeesAsync(ha => Rejected(ha) >= before + 99, "counted"); // the first may be faster than its original
        await pair.AssertNothingChangedAsync();

        static long Rejected(HaStatus status) => status.Peers[0].Links.Sum(l => l.Rejected);
    }

    [PairFact]
    public async Task A_stranger_that_has_the_address_too_is_found_and_named()
    {
        await using PairDirector director = await PairDirector.StartAsync(lab, OurPair.First, new() { HasPeer = false, More = ["conflictProbe: 1s"] });
        await director.IsAsync(Role.Active);
        string link = await lab["stranger"].RunAsync("ip", "-o", "link", "show", "eth0"), mac = link.Split("link/ether ")[1].Split(' ')[0];

        await lab["stranger"].RunAsync("ip", "address", "add", $"{PairPlan.VirtualAddress}/32", "dev", "eth0");
        try
        {
            await director.SeesAsync(ha => ha.Warnings.Any(w => w.Contains(mac, StringComparison.OrdinalIgnoreCase)), "named the stranger");
            Assert.Equal(Role.Active, (await director.HaAsync()).Instances[0].Role);
        }
        finally
        {
            await lab["stranger"].RunAsync("ip", "address", "del", $"{PairPlan.VirtualAddress}/32", "dev", "eth0");
        }
    }

    [PairFact]
    public async Task Two_that_each_serve_an_address_stand_in_for_each_other()
    {
        await using OurPair pair = await OurPair.StartAsync(lab, new() { Preempt = "true", Priority = new() { [OurPair.First] = 150 }, Instances = [Second] });
        await pair.Active.SeesAsync(ha => ha.Instances[0].Role == Role.Active && ha.Instances[1].Role == Role.Backup, "Active for the first alone");
        await pair.Backup.SeesAsync(ha => ha.Instances[0].Role == Role.Backup && ha.Instances[1].Role == Role.Active, "Active for the second alone");

        await pair.Active.KillAsync();
        await pair.Backup.IsAsync(Role.Active);
        await pair.Active.StartAgainAsync();

        await pair.Active.SeesAsync(ha => ha.Instances[0].Role == Role.Active && ha.Instances[1].Role == Role.Backup, "Active for the first alone again");
        await pair.Backup.SeesAsync(ha => ha.Instances[0].Role == Role.Backup && ha.Instances[1].Role == Role.Active, "Active for the second alone again");
    }

    private const string Second = $"other-vip: {{ interface: eth0, virtualRouterId: 52, priority: DIRECTOR-2, advertInterval: 100ms, addresses: [ {PairPlan.OtherVirtualAddress}/24 ] }}";

    private static PairSettings Group => new()
    {
        Ha = ["syncGroups: { both: [ web-vip, inside-vip ] }"],
        Instances = [$"inside-vip: {{ interface: eth2, virtualRouterId: 53, advertInterval: 100ms, preempt: false, addresses: [ {PairPlan.InsideAddress}/24 ] }}"],
    };

    // A UDP packet to the port that heartbeats go to.
    private static byte[] Heartbeat(Socket wire)
    {
        byte[] frame = new byte[2048];
        while (true)
        {
            int length = wire.Receive(frame);
            if (length > 42 && frame[12] == 0x08 && frame[13] == 0 && frame[23] == 17 && (frame[36] << 8 | frame[37]) == 8112 && frame[33] == 2) // to 10.1.0.2
                return frame[..length];
        }
    }
}
