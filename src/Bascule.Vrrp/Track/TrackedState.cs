using Bascule.Core.Model;

namespace Bascule.Vrrp.Track;

/// <summary>How something that is tracked was when it was last looked at.</summary>
/// <param name="IsWell">Whether it is.</param>
/// <param name="Value">The number in a <see cref="TrackedFile"/>; otherwise 0.</param>
/// <param name="Why">A short sentence.</param>
public sealed record TrackedState(bool IsWell, int Value, string Why)
{
    /// <summary>Before the first look: a director must not serve on the strength of what it has not seen.</summary>
    public static TrackedState Unknown { get; } = new(false, 0, "not looked at yet");

    internal static TrackedState Well(string why) => new(true, 0, why);

    internal static TrackedState Unwell(string why) => new(false, 0, why);

    /// <summary>What logs and status call it: <c>interface eth1</c>.</summary>
    public static string NameOf(Tracked tracked) => tracked switch
    {
        TrackedInterface link => $"interface {link.Name}",
        TrackedRoute route => $"route {route.Destination}",
        TrackedProcess process => $"process {process.Name}",
        TrackedScript script => $"script {script.Name}",
        TrackedFile file => $"file {file.Path}",
        TrackedVirtualServers servers => $"virtual servers {string.Join(", ", servers.Names)}",
        _ => throw new ArgumentOutOfRangeException(nameof(tracked), tracked, "there is no such kind"),
    };
}
