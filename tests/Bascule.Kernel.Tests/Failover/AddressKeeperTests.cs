using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Bascule.Core.Model;
using Bascule.Linux.Netlink;
using Bascule.Vrrp.Addresses;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>The addresses, routes and rules of an instance, on a kernel of the test's own.</summary>
public sealed class AddressKeeperTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [KernelTheory]
    [InlineData("192.0.2.10", 24)]
    [InlineData("2001:db8::10", 64)]
    [InlineData("2001:db8:1::10", 128)]
    public void The_kernel_takes_off_an_address_that_is_not_refreshed(string address, int prefixLength)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using NetworkWatch events = new();
            using AddressKeeper keeper = new(Lan.Instance(new VirtualAddress(IPAddress.Parse(address), prefixLength)));
            Assert.Empty(keeper.Start());
            Watch watch = new();

            Assert.Empty(keeper.Take(watch.Now));

            while (!events.Read(Second).Any(change => change is { IsGone: true, Address: { } gone } && gone.Address.Equals(IPAddress.Parse(address))))
                Assert.True(watch.Now < 3 * Second, "the address is still there");
            output.WriteLine($"gone after {watch.Now.TotalMilliseconds:F0} ms");
            Assert.InRange(watch.Now, 0.95 * Second, 1.3 * Second);
        });
    }

    [KernelTheory]
    [InlineData("192.0.2.10", 24)]
    [InlineData("2001:db8::10", 64)]
    public void An_address_that_is_refreshed_answers_every_ping(string address, int prefixLength)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance(new VirtualAddress(IPAddress.Parse(address), prefixLength)));
            keeper.Start();
            Watch watch = new();
            keeper.Take(watch.Now);
            using Process ping = lan.Client.Start("ping", "-q", "-i", "0.01", "-c", "300", "-W", "1", address);

            while (!ping.WaitForExit(TimeSpan.FromTicks(Math.Max(0, (keeper.Due - watch.Now).Ticks))))
                Assert.True(keeper.Refresh(watch.Now));

            string said = ping.StandardOutput.ReadToEnd();
            Assert.Contains("300 received", said, StringComparison.Ordinal);
        });
    }

    [KernelFact]
    public void A_lease_that_has_run_out_is_not_renewed()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance());
            keeper.Start();
            keeper.Take(TimeSpan.Zero);

            Assert.True(keeper.Refresh(0.9 * Second));
            Assert.False(keeper.Refresh(1.9 * Second));
        });
    }

    [KernelFact]
    public void Refreshing_allocates_nothing()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance());
            keeper.Start();
            Watch watch = new();
            keeper.Take(watch.Now);
            for (int i = 0; i < 100; i++)
                keeper.Refresh(watch.Now);
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan begun = watch.Now;

            for (int i = 0; i < 1000; i++)
                keeper.Refresh(watch.Now);

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
            output.WriteLine($"{(watch.Now - begun).TotalMicroseconds / 1000:F1} us a refresh");
        });
    }

    [KernelFact]
    public void Bears_its_label_its_mark_and_its_lease()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Network network = new();
            using AddressKeeper keeper = new(Lan.Instance(new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24) { Label = "eth0:web" }) with { Lease = 3 * Second });
            keeper.Start();
            keeper.Take(TimeSpan.Zero);

            AssignedAddress there = Lan.Find(network, "192.0.2.10")!;

            Assert.Equal(("eth0:web", AddressPlan.Mark, 24), (there.Label, there.Protocol, there.Address.PrefixLength));
            Assert.InRange(there.Valid!.Value, 2 * Second, 3 * Second);
            Assert.Empty(keeper.Drop());
            Assert.Null(Lan.Find(network, "192.0.2.10"));
        });
    }

    [KernelFact]
    public void Without_a_lease_an_address_stays_until_it_is_dropped()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using Network network = new();
            using AddressKeeper keeper = new(Lan.Instance() with { Lease = null });
            keeper.Start();
            keeper.Take(TimeSpan.Zero);

            Assert.Null(Lan.Find(network, "192.0.2.10")!.Valid);
            Assert.Equal(TimeSpan.MaxValue, keeper.Due);
        });
    }

    [KernelFact]
    public void The_network_route_of_the_interface_outlives_the_lease_of_an_address_in_it()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using NetworkWatch events = new();
            using AddressKeeper keeper = new(Lan.Instance(new VirtualAddress(IPAddress.Parse("2001:db8::10"), 64)));
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            while (!events.Read(Second).Any(change => change is { IsGone: true, Address: not null }))
                continue;

            Assert.DoesNotContain("expires", lan.Director.Ask("ip", "-6", "route", "show", "2001:db8::/64"), StringComparison.Ordinal);
            Assert.Contains("dev eth0", lan.Director.Ask("ip", "-6", "route", "show", "2001:db8::/64"), StringComparison.Ordinal);
        });
    }

    [KernelFact]
    public void Routes_and_rules_come_and_go_with_the_address()
    {
        using Lan lan = new();
        HaInstance instance = Lan.Instance() with
        {
            Routes =
            [
                new(null, IPAddress.Parse("192.0.2.99"), null, IPAddress.Parse("192.0.2.10"), 100, 0),
                new(IPNetwork.Parse("198.51.100.0/24"), IPAddress.Parse("192.0.2.99"), "eth0", null, 254, 7),
                new(IPNetwork.Parse("2001:db8:5::/48"), IPAddress.Parse("2001:db8::99"), null, null, 254, 0),
            ],
            Rules = [new(IPNetwork.Parse("192.0.2.10/32"), null, 100, 200), new(null, IPNetwork.Parse("2001:db8:6::/48"), 100, 201)],
        };
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(instance);
            Assert.Empty(keeper.Start());

            Assert.Empty(keeper.Take(TimeSpan.Zero));

            Assert.Equal("default via 192.0.2.99 dev eth0 proto 181 src 192.0.2.10", Asked("route", "show", "table", "100"));
            Assert.Equal("198.51.100.0/24 via 192.0.2.99 dev eth0 proto 181 metric 7", Asked("route", "show", "198.51.100.0/24"));
            Assert.Equal("2001:db8:5::/48 via 2001:db8::99 dev eth0 proto 181 metric 1024 pref medium", Asked("-6", "route", "show", "2001:db8:5::/48"));
            Assert.Contains("200:	from 192.0.2.10 lookup 100 proto 181", Asked("rule", "show"), StringComparison.Ordinal);
            Assert.Contains("201:	from all to 2001:db8:6::/48 lookup 100 proto 181", Asked("-6", "rule", "show"), StringComparison.Ordinal);

            Assert.Empty(keeper.Drop());

            Assert.Empty(Asked("route", "show", "198.51.100.0/24") + Asked("-6", "route", "show", "2001:db8:5::/48"));
            Assert.DoesNotContain("proto 181", Asked("rule", "show") + Asked("-6", "rule", "show") + Asked("route", "show", "table", "all"), StringComparison.Ordinal);
        });

        string Asked(params string[] words) => lan.Director.Ask("ip", words).Trim();
    }

    [KernelFact]
    public void What_cannot_be_added_is_said_and_keeps_nothing_else_away()
    {
        using Lan lan = new();
        HaInstance instance = Lan.Instance(
            new VirtualAddress(IPAddress.Parse("198.51.100.1"), 32) { Interface = "eth9" }, new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24)) with
        {
            Routes = [new(IPNetwork.Parse("203.0.113.0/24"), IPAddress.Parse("10.9.9.9"), null, null, 254, 0)],
        };
        lan.AsDirector(() =>
        {
            using Network network = new();
            using AddressKeeper keeper = new(instance);
            keeper.Start();

            ImmutableArray<string> problems = keeper.Take(TimeSpan.Zero);

            Assert.Equal("""
                address 198.51.100.1/32 on eth9 could not be added: No such device, errno 19
                route to 203.0.113.0/24 in table 254 could not be added: Network is unreachable, errno 101
                """, string.Join('\n', problems));
            Assert.NotNull(Lan.Find(network, "192.0.2.10"));
            Assert.Empty(keeper.Drop());
            Assert.Null(Lan.Find(network, "192.0.2.10"));
        });
    }

    [KernelFact]
    public void Finds_and_removes_what_a_former_life_left()
    {
        using Lan lan = new();
        HaInstance instance = Lan.Instance() with
        {
            Lease = null,
            Routes = [new(IPNetwork.Parse("198.51.100.0/24"), IPAddress.Parse("192.0.2.99"), null, null, 254, 0)],
            Rules = [new(IPNetwork.Parse("192.0.2.10/32"), null, 100, 200)],
        };
        lan.AsDirector(() =>
        {
            AddressKeeper former = new(instance); // not disposed of, as if it had been killed
            former.Start();
            former.Take(TimeSpan.Zero);
            using AddressKeeper keeper = new(instance);

            ImmutableArray<string> said = keeper.Start();

            Assert.Equal("address 192.0.2.10/24 on eth0 was left there and is removed", string.Join('\n', said));
            Assert.DoesNotContain("192.0.2.10", lan.Director.Ask("ip", "address"), StringComparison.Ordinal);
            Assert.DoesNotContain("proto 181", lan.Director.Ask("ip", "rule") + lan.Director.Ask("ip", "route"), StringComparison.Ordinal);
        });
    }

    [KernelFact]
    public void An_address_that_somebody_added_by_hand_is_removed_at_the_start()
    {
        using Lan lan = new();
        lan.Director.IpInside("address add 192.0.2.10/24 dev eth0");
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance());

            Assert.Single(keeper.Start());

            Assert.DoesNotContain("192.0.2.10", lan.Director.Ask("ip", "address"), StringComparison.Ordinal);
        });
    }

    [KernelTheory]
    [InlineData(true, AddressLoss.Lost)]
    [InlineData(false, AddressLoss.PutBack)]
    public void An_address_that_somebody_else_removes_is_lost_if_tracked_and_put_back_if_not(bool isTracked, object expected)
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            VirtualAddress address = new(IPAddress.Parse("192.0.2.10"), 24) { IsTracked = isTracked };
            using NetworkWatch events = new();
            using AddressKeeper keeper = new(Lan.Instance(address) with { Lease = null });
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            Assert.All(events.Read(TimeSpan.Zero), change => Assert.Equal(AddressLoss.None, keeper.Hear(change, TimeSpan.Zero)));

            lan.Director.IpInside("address delete 192.0.2.10/24 dev eth0");

            Assert.Contains((AddressLoss)expected, events.Read(Second).Select(change => keeper.Hear(change, TimeSpan.Zero)).ToList());
            Assert.Equal(!isTracked, keeper.Has(address));
        });
    }

    [KernelFact]
    public void Dropping_and_taking_again_at_once_is_no_loss()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance());
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            using NetworkWatch events = new();

            keeper.Drop();
            keeper.Take(TimeSpan.Zero);

            Assert.All(events.Read(Second), change => Assert.Equal(AddressLoss.None, keeper.Hear(change, TimeSpan.Zero)));
        });
    }

    [KernelFact]
    public void A_watch_that_does_not_want_to_know_hears_of_no_refresh_but_of_the_end()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using AddressKeeper keeper = new(Lan.Instance());
            using NetworkWatch events = new(unheard: AddressPlan.Mark);
            keeper.Start();
            keeper.Take(TimeSpan.Zero);
            keeper.Refresh(TimeSpan.Zero);
            Assert.DoesNotContain(events.Read(TimeSpan.FromMilliseconds(10)), change => change.Address is not null);

            keeper.Drop();

            Assert.Contains(events.Read(Second), change => change is { IsGone: true, Address: not null });
        });
    }

    [KernelFact]
    public void An_interface_that_comes_later_is_found()
    {
        using Lan lan = new();
        lan.AsDirector(() =>
        {
            using NetworkWatch events = new();
            using AddressKeeper keeper = new(Lan.Instance(new VirtualAddress(IPAddress.Parse("203.0.113.1"), 32) { Interface = "late" }, new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24)));
            keeper.Start();
            lan.Director.IpInside("link add late type veth peer name other");

            foreach (NetworkEvent change in events.Read(Second))
                keeper.Hear(change, TimeSpan.Zero);

            Assert.Empty(keeper.Take(TimeSpan.Zero));
        });
    }

    [KernelFact]
    public void Two_hundred_excluded_addresses_are_taken_in_50_ms()
    {
        using Lan lan = new();
        VirtualAddress[] addresses = [new(IPAddress.Parse("192.0.2.10"), 24), .. Enumerable.Range(1, 200).Select(i => new VirtualAddress(new IPAddress([203, 0, 113, (byte)i]), 32) { IsExcluded = true })];
        lan.AsDirector(() =>
        {
            using Network network = new();
            using AddressKeeper keeper = new(Lan.Instance(addresses));
            using Announcer announcer = new(keeper, new(5, TimeSpan.Zero, TimeSpan.Zero));
            keeper.Start();
            announcer.Prepare();
            keeper.Take(TimeSpan.Zero); // compiles
            keeper.Drop();
            Watch watch = new();

            Assert.Empty(keeper.Take(watch.Now));
            TimeSpan taken = watch.Now;
            announcer.Announce(watch.Now);

            output.WriteLine($"taken after {taken.TotalMilliseconds:F1} ms, {announcer.Sent} announced after {watch.Now.TotalMilliseconds:F1} ms");
            Assert.Equal(201, network.AssignedAddresses().Count(address => address.Protocol == AddressPlan.Mark));
            Assert.True(taken < TimeSpan.FromMilliseconds(50), $"took {taken.TotalMilliseconds:F1} ms");
        });
    }
}
