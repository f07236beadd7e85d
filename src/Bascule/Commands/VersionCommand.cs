using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule version</c></summary>
internal static class VersionCommand
{
    /// <summary>This program, on this runtime, on this system.</summary>
    public static VersionInfo Current { get; } = new(
        ShortVersion(typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion),
        RuntimeInformation.FrameworkDescription,
        RuntimeInformation.OSDescription);

    public static Command Build()
    {
        Option<bool> json = Shared.Json();
        Command command = new("version", "Print the version of this program, its runtime and the system.") { json };
        command.SetAction(result => Print(result.GetValue(json)));
        return command;
    }

    private static void Print(bool json) => Console.Out.WriteLine(json
        ? JsonSerializer.Serialize(Current, ApiJson.Readable.VersionInfo)
        : $"bascule {Current.Version} ({Current.Runtime}, {Current.System})");

    // The build writes 0.1.0+<40 digits of the commit>; nine of them say the same.
    private static string ShortVersion(string version) => version.Split('+') is [var number, { Length: > 9 } commit] ? $"{number}+{commit[..9]}" : version;
}
