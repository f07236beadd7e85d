using System.Net;
using System.Net.NetworkInformation;
using Bascule.Core.Model;
using Bascule.Linux.Epoll;
using Bascule.Linux.Netlink;
using Bascule.Vrrp.Addresses;

namespace Bascule.Kernel.Tests.Failover;

/// <summary>Somebody else on the link has the virtual address as well.</summary>
public sealed class ConflictProbeTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    [KernelTheory]
    [InlineData("192.0.2.10", 24)]
    [InlineData("2001:db8::10", 64)]
    public void A_foreign_holder_is_found_within_the_interval_and_forgotten_when_it_has_gone(string address, int prefixLength)
    {
        using Lan lan = new();
        using TestNetwork third = lan.Plug("port-c", Lan.ThirdMac, 3);
        using Probing probing = new(lan, new VirtualAddress(IPAddress.Parse(address), prefixLength));
        Assert.Equal(ConflictNews.None, probing.Run(Interval));
        Watch watch = new();

        third.IpInside($"address add {address}/{prefixLength} dev eth0 {(prefixLength == 64 ? "nodad" : "")}".Trim());
        ConflictNews news = probing.Run(Interval * 2, until: ConflictNews.Changed);

        output.WriteLine($"found after {watch.Now.TotalMilliseconds:F0} ms");
        Assert.Equal(ConflictNews.Changed | ConflictNews.Defend, news);
        ForeignHolder holder = Assert.Single(probing.Holders);
        Assert.Equal((IPAddress.Parse(address), PhysicalAddress.Parse(Lan.ThirdMac)), (holder.Address, holder.Mac));
        third.IpInside($"address delete {address}/{prefixLength} dev eth0");
        Assert.Equal(ConflictNews.Changed, probing.Run(6 * Interval, until: ConflictNews.Changed));
        Assert.Empty(probing.Holders);
    }

    [KernelFact]
    public void What_we_say_ourselves_and_who_asks_for_us_are_no_conflict()
    {
        using Lan lan = new();
        using Probing probing = new(lan, new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24), new VirtualAddress(IPAddress.Parse("2001:db8::10"), 64) { IsExcluded = true });
        lan.Client.Ask("ping", "-c", "1", "192.0.2.10");
        lan.Client.Ask("ping", "-c", "1", "2001:db8::10");

        Assert.Equal(ConflictNews.None, probing.Run(3 * Interval));
    }

    [KernelFact]
    public void Defends_at_most_once_in_ten_seconds()
    {
        using Lan lan = new();
        using TestNetwork third = lan.Plug("port-c", Lan.ThirdMac, 3);
        using Probing probing = new(lan, new VirtualAddress(IPAddress.Parse("192.0.2.10"), 24));
        third.IpInside("address add 192.0.2.10/24 dev eth0");
        Assert.Equal(ConflictNews.Changed | ConflictNews.Defend, probing.Run(3 * Interval, until: ConflictNews.Defend));

        Assert.Equal(ConflictNews.None, probing.Run(2 * Interval));

        probing.Sleep(ConflictProbe.DefendInterval);
        Assert.NotEqual(ConflictNews.None, probing.Run(3 * Interval, until: ConflictNews.Defend) & ConflictNews.Defend);
    }

    /// <summary>A director with an address that looks for others.</summary>
    private sealed class Probing : IDisposable
    {
        private readonly Lan _lan;
        private readonly AddressKeeper _keeper;
        private readonly Announcer _announcer;
        private readonly ConflictProbe _probe;
        private readonly EpollSet _epoll = new(4);
        private readonly Watch _watch = new();
        private TimeSpan _slept;

        public Probing(Lan lan, params VirtualAddress[] addresses)
        {
            _lan = lan;
            HaInstance instance = Lan.Instance(addresses) with { ConflictProbe = Interval, Lease = null };
            (_keeper, _announcer, _probe) = lan.Director.Run(() =>
            {
                AddressKeeper keeper = new(instance);
                keeper.Start();
                keeper.Take(TimeSpan.Zero);
                return (keeper, new Announcer(keeper, new(3, TimeSpan.Zero, TimeSpan.Zero)), new ConflictProbe(instance, keeper));
            });
            foreach (int descriptor in _probe.Descriptors)
                _epoll.AddReadable(descriptor, 0);
            _announcer.Announce(Now);
            _probe.Begin(Now, Links());
        }

        public IReadOnlyList<ForeignHolder> Holders => _probe.Holders;

        private TimeSpan Now => _watch.Now + _slept;

        /// <summary>Nobody calls it for so long.</summary>
        public void Sleep(TimeSpan time) => _slept += time;

        /// <summary>Goes on for so long, or until it has news of that kind.</summary>
        public ConflictNews Run(TimeSpan time, ConflictNews until = ConflictNews.None)
        {
            TimeSpan end = Now + time;
            ConflictNews news = ConflictNews.None;
            while (Now < end && (until == ConflictNews.None || (news & until) == 0))
            {
                TimeSpan wait = TimeSpan.FromTicks(Math.Min(_probe.Due.Ticks, end.Ticks)) - Now;
                _epoll.Wait((int)Math.Clamp(wait.TotalMilliseconds + 1, 0, 1000));
                news |= _probe.Hear(Now) | _probe.Tick(Now);
                _announcer.Tick(Now);
            }

            return news;
        }

        public void Dispose()
        {
            _epoll.Dispose();
            _probe.Dispose();
            _announcer.Dispose();
            _keeper.Dispose();
        }

        private IReadOnlyList<NetworkLink> Links() => _lan.Director.Run(() =>
        {
            using Network network = new();
            return network.Links();
        });
    }
}
