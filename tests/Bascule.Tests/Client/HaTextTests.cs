using System.Collections.Immutable;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Roles;

namespace Bascule.Tests.Client;

public sealed class HaTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_recent_word_of_a_peer_is_told_with_its_age() =>
        Assert.Equal("director-2 said 0.1 s ago: Backup, priority 100", HaText.LastWord(Peer(TimeSpan.FromSeconds(0.1), isHeard: true), "web", Now));

    [Fact]
    public void An_old_word_of_a_peer_is_not_told_as_how_things_are() =>
        Assert.Equal("director-2: nothing for 12 s, so nobody knows what it is (its last word was: Backup, priority 100)",
            HaText.LastWord(Peer(TimeSpan.FromSeconds(12), isHeard: false), "web", Now));

    [Fact]
    public void A_peer_that_never_spoke_has_no_role() =>
        Assert.Equal("director-2 has never been heard", HaText.LastWord(Peer(null, isHeard: false), "web", Now));

    [Fact]
    public void A_peer_that_does_not_know_the_instance_says_so() =>
        Assert.Equal("director-2 said 0.0 s ago: does not know this instance", HaText.LastWord(Peer(TimeSpan.Zero, isHeard: true), "other", Now));

    [Fact]
    public void Warnings_come_first_then_each_instance_with_its_reason_then_the_peers()
    {
        StringWriter text = new();

        new HaText(text).Write(new()
        {
            Node = "director-1",
            Now = Now,
            Instances = [Web],
            Peers = [Peer(TimeSpan.FromSeconds(0.1), isHeard: true)],
            Lateness = new(0.2, 3.14, Now.AddMinutes(-2), 1, IsRealtime: true, IsLocked: false),
            Warnings = ["one thing"],
        });

        // Without the last changes, which are in local time.
        string[] lines = [.. text.ToString().Split('\n').Where(line => !line.Contains("->", StringComparison.Ordinal))];
        Assert.Equal("""
            Director director-1: failover thread 0.2 ms late, at worst 3.1 ms 2m 0s ago, 1 times too late; real-time priority, memory not locked
            Warning: one thing

            web: Active since 3m 12s: nobody else is heard
              192.0.2.10/24 on eth0, virtual router 51, VRRP 3, priority 130 (configured: 150)
              director-2 said 0.1 s ago: Backup, priority 100
              last advertisement from 192.0.2.2, a goodbye, 5.0 s ago
              not well: interface eth1: it is down (weight -20)
              advertisements: 7 sent, 3 received, 2 rejected (wrongChecksum), 5 announcements, Active 1 times

            director-2: heard 0.1 s ago
              over 10.0.0.2: both ways; 10 sent, 9 received, 1 lost, 0 rejected
              over 10.1.0.2: one way: it does not hear us there; 10 sent, 9 received, 1 lost, 0 rejected

            """.Split('\n'), lines);
    }

    private static InstanceStatus Web => new()
    {
        Name = "web",
        Interface = "eth0",
        VirtualRouterId = 51,
        Version = 3,
        Addresses = ["192.0.2.10/24"],
        Role = Role.Active,
        Since = Now.AddSeconds(-192),
        Reason = TransitionReason.Silence,
        Why = "nobody else is heard",
        ConfiguredPriority = 150,
        Priority = 130,
        Heard = new("192.0.2.2", 0, Now.AddSeconds(-5)),
        Tracked = [new("interface eth0", true, "up", 0), new("interface eth1", false, "it is down", -20)],
        Counters = new() { Sent = 7, Received = 3, BecameActive = 1, Announced = 5, Rejected = new Dictionary<string, long> { ["wrongChecksum"] = 2 }.ToImmutableSortedDictionary() },
        Transitions = [new(Now.AddSeconds(-192), Role.Backup, Role.Active, TransitionReason.Silence, "nobody else is heard")],
    };

    private static PeerStatus Peer(TimeSpan? age, bool isHeard) => new()
    {
        Name = "director-2",
        LastHeard = Now - age,
        IsHeard = isHeard,
        Links = [Link("10.0.0.2", hearsUs: true), Link("10.1.0.2", hearsUs: false)],
        Roles = [new("web", Role.Backup, 100)],
    };

    private static LinkStatus Link(string address, bool hearsUs) => new(address, Now, IsHeard: true, hearsUs, 10, 9, 1, 0);
}
