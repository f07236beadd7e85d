using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Gratuitous ARP and unsolicited Neighbor Advertisements.</summary>
internal static class HaAnnounceSection
{
    public static readonly Setting<int> Repeat = new("repeat", new CountForm(1, 20))
    {
        Doc = "So many of each address at a takeover.",
        Default = 5,
        Source = "keepalived garp_master_repeat",
        Example = "repeat: 5",
        AlsoCalled = ["garp_master_repeat"],
    };

    public static readonly Setting<TimeSpan> Delay = new("delay", new DurationForm(TimeSpan.Zero, TimeSpan.FromMinutes(10)))
    {
        Doc = "After so long the same again, for switches that were not ready. 0s: not.",
        Default = TimeSpan.FromSeconds(5),
        Source = "keepalived garp_master_delay",
        Example = "delay: 5s",
        AlsoCalled = ["garp_master_delay"],
    };

    public static readonly Setting<TimeSpan> Refresh = new("refresh", new DurationForm(TimeSpan.Zero, TimeSpan.FromHours(24)))
    {
        Doc = "One of each address every so often while Active. 0s: never.",
        Default = TimeSpan.FromMinutes(1),
        Source = "ours; what was lost is mended within a minute. keepalived garp_master_refresh: never",
        Example = "refresh: 1m",
        AlsoCalled = ["garp_master_refresh"],
    };

    public static readonly Section Section = new("announce", Repeat, Delay, Refresh)
    {
        Doc = "How the network is told where the addresses are.",
        Place = "in `announce` of an instance",
    };

    public static AnnounceSettings Meant(Fields fields) => new(fields.Get(Repeat), fields.Get(Delay), fields.Get(Refresh));
}
