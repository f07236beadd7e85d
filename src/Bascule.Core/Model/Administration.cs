using System.Text.Json.Serialization;

namespace Bascule.Core.Model;

/// <summary>What an operator wants of a real server or virtual server. The later, the stricter.</summary>
public enum AdministrativeState
{
    /// <summary><c>enable</c>: it is given work as its check and weight say.</summary>
    [JsonStringEnumMemberName("enable")]
    Enabled,

    /// <summary><c>drain</c>: no new clients; who has a connection or a session there goes on until it ends.</summary>
    Drain,

    /// <summary><c>maintenance</c>: counts as down whatever its check says; nobody is sent there, sessions move elsewhere, open connections finish.</summary>
    Maintenance,
}

/// <summary>The words of the states.</summary>
public static class AdministrativeStates
{
    /// <summary>As the file and the command line write it: <c>enable</c>, <c>drain</c>, <c>maintenance</c>.</summary>
    public static string Word(this AdministrativeState state) => state switch
    {
        AdministrativeState.Enabled => "enable",
        AdministrativeState.Drain => "drain",
        AdministrativeState.Maintenance => "maintenance",
    };

    /// <summary>The stricter of two.</summary>
    public static AdministrativeState StricterOf(AdministrativeState one, AdministrativeState other) => one > other ? one : other;
}

/// <summary>What a check says about the weight beside up and down.</summary>
/// <param name="Value">With <paramref name="IsPercent"/> 0 to 1000: of the configured weight; otherwise 0 to 65535: in its place.</param>
/// <param name="IsPercent">Whether it is relative to the configured weight.</param>
public readonly record struct WeightAdvice(int Value, bool IsPercent);
