using System.CommandLine;

namespace Bascule.Commands;

/// <summary>Options that several verbs have, so that they are named and explained alike.</summary>
internal static class Shared
{
    /// <summary>Where `run` and `check` look unless told.</summary>
    public const string DefaultFile = "/etc/bascule/bascule.yaml";

    /// <summary>The default of admin.socket, known here so that <c>status</c> need not read a file to find a daemon in the usual place.</summary>
    public const string DefaultSocket = "/run/bascule/admin.sock";

    public static Option<bool> Json() => new("--json") { Description = "Write JSON instead of text, for programs." };

    /// <summary>Who gives the command, as the system knows him; behind sudo, who he was before.</summary>
    public static string Operator() => Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } user ? user : Environment.UserName;

    public static Option<string?> Socket() => new("--socket", "-s")
    {
        Description = "The daemon's admin socket. Without it: the usual place, or what the configuration file says.",
        HelpName = "SOCKET",
    };

    public static Option<string?> File() => new("--config", "-c")
    {
        Description = $"Look up the admin socket in this configuration file instead of {DefaultFile}.",
        HelpName = "FILE",
    };
}
