using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Kinds that ask nothing.</summary>
internal static class SwitchKinds
{
    public static readonly CheckKind On = new("on", "Nothing is asked, and every real server counts as up.", "true", "yes")
    {
        Meant = _ => new OnCheck(),
        AsksAtPort = false,
        IsSwitch = true,
    };

    public static readonly CheckKind Off = new("off", "Nothing is asked, and every real server counts as down.")
    {
        Meant = _ => new OffCheck(),
        AsksAtPort = false,
        IsSwitch = true,
    };

    public static readonly CheckKind None = new("none", "Another word for `on`.", "no", "false", "disabled")
    {
        Meant = _ => new OnCheck(),
        AsksAtPort = false,
        IsSwitch = true,
    };
}
