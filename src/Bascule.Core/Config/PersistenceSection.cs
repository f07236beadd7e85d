using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>The same client returns to the same real server.</summary>
internal static class PersistenceSection
{
    /// <summary>What a client is known by.</summary>
    internal enum Key
    {
        Source,
    }

    public static readonly Setting<Key> By = new("by", new ChoiceForm<Key>(
        new Choice<Key>("source", Key.Source, "By its address, or the first bits of it.", "src", "ip", "address", "source_ip", "client_ip")))
    {
        Doc = "What a client is known by.",
        Default = Key.Source,
        Source = "IPVS: ipvsadm -p",
        Example = "by: source",
        AlsoCalled = ["type", "on"],
    };

    public static readonly Setting<TimeSpan> Timeout = new("timeout", DurationForm.WholeSeconds(TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)))
    {
        Doc = "How long a client is remembered after its last connection has ended.",
        Default = TimeSpan.FromMinutes(5),
        Source = "ipvsadm(8): 300 seconds. (Its code has 360.)",
        Example = "timeout: 5m",
        AlsoCalled = ["persistence_timeout", "persistent", "expire"],
    };

    public static readonly Setting<int> Mask = new("mask", new CountForm(1, 32))
    {
        Doc = "Bits of an IPv4 address that make one client: 24 takes a whole /24 as one.",
        Default = 32,
        Source = "ipvsadm -M 255.255.255.255",
        Example = "mask: 24",
        AlsoCalled = ["netmask", "mask4", "persistence_granularity"],
    };

    public static readonly Setting<int> Mask6 = new("mask6", new CountForm(1, 128))
    {
        Doc = "Bits of an IPv6 address that make one client. 64 suits hosts that change their address by themselves (RFC 8981).",
        Default = 128,
        Source = "ipvsadm -M 128",
        Example = "mask6: 64",
        AlsoCalled = ["prefix", "netmask6"],
    };

    public static readonly Setting<bool> ExpireQuiescent = new("expireQuiescent", new SwitchForm())
    {
        Doc = "A client whose real server has weight 0 is scheduled anew. Otherwise it goes on returning to it.",
        Default = false,
        Source = "IPVS: expire_quiescent_template is 0",
        Example = "expireQuiescent: true",
        AlsoCalled = ["expire_quiescent_template"],
    };

    public static readonly Section Section = new("persistence", By, Timeout, Mask, Mask6, ExpireQuiescent)
    {
        Doc = "The same client returns to the same real server, whatever the scheduler would say.",
        Place = "in `persistence` of a virtual server",
        Short = By,
    };

    public static Persistence Meant(Fields fields) => new()
    {
        Timeout = fields.Get(Timeout),
        Mask4 = fields.Get(Mask),
        Mask6 = fields.Get(Mask6),
        ExpireQuiescent = fields.Get(ExpireQuiescent),
    };
}
