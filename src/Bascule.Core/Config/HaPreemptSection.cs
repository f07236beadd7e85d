namespace Bascule.Core.Config;

/// <summary>Whether it takes over from a weaker one that serves.</summary>
internal static class HaPreemptSection
{
    public static readonly Setting<bool> Enabled = new("enabled", new SwitchForm())
    {
        Doc = "Whether it takes over from a director with a lower priority that serves. With `false` it waits for that one to leave.",
        Default = true,
        Source = "RFC 9568 §6.1: Preempt_Mode",
        Example = "enabled: true",
        AlsoCalled = ["nopreempt", "mode"],
    };

    public static readonly Setting<TimeSpan> Delay = new("delay", new DurationForm(TimeSpan.Zero, TimeSpan.FromSeconds(1000)))
    {
        Doc = "How long it watches the other one serve before it takes over.",
        Default = TimeSpan.Zero,
        Source = "keepalived preempt_delay",
        Example = "delay: 5s",
        AlsoCalled = ["preempt_delay"],
    };

    public static readonly Section Section = new("preempt", Enabled, Delay)
    {
        Doc = "Whether it takes over from a director with a lower priority that serves: true, false, or a map when it is to wait.",
        Place = "in `preempt` of an instance",
        Short = Enabled,
    };
}
