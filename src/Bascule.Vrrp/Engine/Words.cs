using System.Globalization;

namespace Bascule.Vrrp.Engine;

/// <summary>Numbers for people.</summary>
internal static class Words
{
    /// <summary><c>350 ms</c>, <c>4.2 s</c>, <c>95 s</c>.</summary>
    public static string Of(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
    };
}
