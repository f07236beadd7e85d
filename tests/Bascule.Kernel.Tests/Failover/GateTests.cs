using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Vrrp.Addresses;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>The gate of nftables in front of the virtual addresses.</summary>
public sealed class GateTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static readonly TimeSpan Time = TimeSpan.FromMilliseconds(300), Slack = TimeSpan.FromMilliseconds(150);
    private static readonly VirtualAddress Ipv4 = new(IPAddress.Parse("192.0.2.10"), 24), Ipv6 = new(IPAddress.Parse("2001:db8::10"), 64) { IsExcluded = true };

    [KernelTheory]
    [InlineData("192.0.2.10")]
    [InlineData("2001:db8::10")]
    public void No_ping_is_lost_while_it_is_refreshed_and_the_last_is_answered_before_it_closes(string address)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Gate gate = Ready(Lan.Instance(Ipv4, Ipv6), out AddressKeeper keeper);
            Watch watch = new();
            gate.Open(watch.Now);
            Assert.Equal(Errno.None, gate.Error);
            using Process ping = lan.Client.Start("ping", "-D", "-i", "0.01", "-c", "200", "-W", "1", address);
            TimeSpan frozen = watch.Now + TimeSpan.FromSeconds(1);

            for (; gate.Due < frozen; gate.Refresh(watch.Now))
                ping.WaitForExit(TimeSpan.FromTicks(Math.Max(0, (gate.Due - watch.Now).Ticks)));

            DateTimeOffset refreshed = TimeProvider.System.GetUtcNow();
            Match[] answers = Regex.Matches(ping.StandardOutput.ReadToEnd(), @"^\[([\d.]+)\].*icmp_seq=(\d+)", RegexOptions.Multiline).ToArray();
            DateTimeOffset last = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(double.Parse(answers[^1].Groups[1].Value, CultureInfo.InvariantCulture));
            output.WriteLine($"the last of {answers.Length} answers came {(last - refreshed).TotalMilliseconds:F0} ms after the last refresh");
            Assert.Equal(Enumerable.Range(1, answers.Length).Select(i => i.ToString(CultureInfo.InvariantCulture)), answers.Select(answer => answer.Groups[2].Value));
            Assert.InRange(last - refreshed, Time - Slack, Time + Slack);
            keeper.Dispose();
        });
    }

    [KernelTheory]
    [InlineData("192.0.2.10")]
    [InlineData("2001:db8::10")]
    public void A_closed_gate_lets_nobody_learn_who_has_the_address(string address)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Gate gate = Ready(Lan.Instance(Ipv4, Ipv6), out AddressKeeper keeper);
            using Announcer announcer = new(keeper, new(1, TimeSpan.Zero, TimeSpan.Zero));
            gate.Open(TimeSpan.Zero);
            Assert.Contains("1 received", lan.Client.Ask("ping", "-c", "1", "-W", "1", address), StringComparison.Ordinal);
            gate.Close();
            Assert.Equal(Errno.None, gate.Error);
            lan.Client.IpInside("neighbour flush dev eth0");

            announcer.Announce(TimeSpan.Zero);
            Assert.False(Answers(lan, address));
            lan.Client.IpInside($"neighbour replace {address} lladdr {Lan.ThirdMac} dev eth0 nud stale");
            announcer.Again(TimeSpan.FromSeconds(2));
            Assert.Contains(Lan.ThirdMac, lan.Client.Ask("ip", "neighbour", "show", address), StringComparison.Ordinal);

            gate.Open(TimeSpan.Zero);
            announcer.Again(TimeSpan.FromSeconds(4));
            Assert.True(Answers(lan, address));
            keeper.Dispose();
        });
    }

    [KernelTheory]
    [InlineData("192.0.2.10")]
    [InlineData("2001:db8::10")]
    public void While_it_drains_packets_come_in_and_nobody_learns_who_has_the_address(string address)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Gate gate = Ready(Lan.Instance(Ipv4, Ipv6), out AddressKeeper keeper);
            keeper.Drop();
            IPAddress parsed = IPAddress.Parse(address);
            lan.Director.IpInside($"address add {address}/{parsed.GetAddressBytes().Length * 8} dev lo");
            gate.Open(TimeSpan.Zero);

            gate.Drain(TimeSpan.Zero);

            Assert.Equal(Errno.None, gate.Error);
            lan.Client.IpInside("neighbour flush dev eth0");
            Assert.False(AnswersWhileRefreshed(gate, lan, address));
            lan.Client.IpInside($"neighbour replace {address} lladdr {Lan.DirectorMac} dev eth0 nud permanent");
            lan.Director.IpInside($"neighbour replace {(parsed.AddressFamily == AddressFamily.InterNetwork ? "192.0.2.99" : "2001:db8::99")} lladdr {Lan.ClientMac} dev eth0 nud permanent");
            Assert.True(AnswersWhileRefreshed(gate, lan, address));
            gate.Close();
            Assert.False(Answers(lan, address));
            keeper.Dispose();
        });
    }

    [KernelFact]
    public void Refreshing_allocates_nothing()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Gate gate = Ready(Lan.Instance(Ipv4, Ipv6), out AddressKeeper keeper);
            Watch watch = new();
            for (int i = 0; i < 100; i++)
                gate.Refresh(watch.Now);
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan begun = watch.Now, longest = TimeSpan.Zero;

            for (int i = 0; i < 1000; i++)
            {
                TimeSpan at = watch.Now;
                gate.Refresh(at);
                longest = watch.Now - at > longest ? watch.Now - at : longest;
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
            Assert.Equal(Errno.None, gate.Error);
            output.WriteLine($"{(watch.Now - begun).TotalMicroseconds / 1000:F0} us a refresh, the longest {longest.TotalMicroseconds:F0} us");
            keeper.Dispose();
        });
    }

    [KernelFact]
    public void Without_its_rules_a_refresh_says_so_and_changes_nothing()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Gate gate = new(Lan.Instance() with { Gate = Time });

            gate.Open(TimeSpan.Zero);

            Assert.Equal(Errno.NoEntry, gate.Error);
        });
    }

    [KernelTheory]
    [InlineData("192.0.2.10")]
    [InlineData("2001:db8::10")]
    public void An_address_that_is_not_accepted_is_found_by_neighbours_and_answers_nothing(string address)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            HaInstance instance = Lan.Instance(Ipv4, Ipv6) with { Accepts = false, Gate = null, Lease = null };
            using Gate gate = Ready(instance, out AddressKeeper keeper);

            Assert.False(Answers(lan, address));

            Assert.Contains(Lan.DirectorMac, lan.Client.Ask("ip", "neighbour", "show", address), StringComparison.Ordinal);
            gate.RemoveAsync(TimeProvider.System, CancellationToken.None).Wait();
            Assert.True(Answers(lan, address));
            keeper.Dispose();
        });
    }

    [KernelFact]
    public void The_rules_of_a_former_life_are_removed_and_no_others()
    {
        using Lan lan = new();
        lan.Director.Ask("nft", "table netdev bascule-old { set open { type ether_type; flags timeout; }; }; table inet bascule-old { }; table inet firewall { }");

        lan.Director.Ask("nft", GateRules.RemoveAll(lan.Director.Ask("nft", "list", "tables")));

        Assert.Equal("table inet firewall", lan.Director.Ask("nft", "list", "tables").Trim());
    }

    private static Gate Ready(HaInstance instance, out AddressKeeper keeper)
    {
        instance = instance with { Gate = instance.Accepts ? Time : null, Lease = null };
        keeper = new(instance);
        keeper.Start();
        Gate gate = new(instance);
        Assert.Null(gate.SetUpAsync(TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult());
        keeper.Take(TimeSpan.Zero);
        return gate;
    }

    private static bool AnswersWhileRefreshed(Gate gate, Lan lan, string address)
    {
        using Process ping = lan.Client.Start("ping", "-c", "1", "-W", "1", address);
        do
            gate.Refresh(TimeSpan.Zero);
        while (!ping.WaitForExit(Time / 6));
        return ping.ExitCode == 0;
    }

    private static bool Answers(Lan lan, string address)
    {
        using Process ping = lan.Client.Start("ping", "-c", "1", "-W", "1", address);
        ping.WaitForExit();
        return ping.ExitCode == 0;
    }
}
