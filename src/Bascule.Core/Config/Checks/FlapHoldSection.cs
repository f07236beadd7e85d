using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>What is done about a real server that goes up and down again and again.</summary>
internal static class FlapHoldSection
{
    public static readonly Setting<int> Changes = new("changes", new CountForm(2, 100))
    {
        Doc = "So many changes between up and down, the last of them down.",
        Default = 5,
        Source = "ours",
        Example = "changes: 5",
        AlsoCalled = ["count", "flaps"],
    };

    public static readonly Setting<TimeSpan> Window = new("window", new DurationForm(TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)))
    {
        Doc = "In so long.",
        Default = TimeSpan.FromMinutes(1),
        Source = "ours",
        Example = "window: 1m",
        AlsoCalled = ["within", "period"],
    };

    public static readonly Setting<TimeSpan> Hold = new("hold", new DurationForm(TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)))
    {
        Doc = "It stays down at least so long after the last of them.",
        Default = TimeSpan.FromMinutes(5),
        Source = "ours",
        Example = "hold: 5m",
        AlsoCalled = ["for", "penalty"],
    };

    public static readonly Section Section = new("flapHold", Changes, Window, Hold)
    {
        Doc = "A real server that changed between up and down too often stays down for a while. Coming up after the start is no change that counts.",
        Place = "in `flapHold` of a check",
    };

    public static FlapHold Meant(Fields fields) => new(fields.Get(Changes), fields.Get(Window), fields.Get(Hold));
}
