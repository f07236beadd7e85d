using System.Globalization;
using System.Text;

namespace Bascule.Simulation;

/// <summary>A forecast as text.</summary>
internal static class ForecastTable
{
    public static string Write(Forecast forecast)
    {
        StringBuilder text = new();
        foreach (VirtualServerForecast virtualServer in forecast.VirtualServers)
            Write(forecast, virtualServer, text);
        return text.ToString();
    }

    private static void Write(Forecast forecast, VirtualServerForecast virtualServer, StringBuilder text)
    {
        int width = int.Max(20, virtualServer.RealServers.Max(r => NameOf(r).Length) + 2);
        text.Append(CultureInfo.InvariantCulture, $"{virtualServer.Name}: {virtualServer.Scheduler}, {forecast.Clients:N0} clients, {forecast.Requests:N0} each\n");
        text.Append(CultureInfo.InvariantCulture, $"{"".PadRight(width)}{"weight",6} {"wanted",8} {"got",8}{(forecast.HasChange ? $" {"then",8} {"got",8} {"moved",8}" : "")}\n");
        foreach (RealServerForecast r in virtualServer.RealServers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{NameOf(r).PadRight(width)}{r.Weight,6} {Percent(r.Wanted),8} {Percent(r.Got),8}");
            text.Append(forecast.HasChange ? string.Create(CultureInfo.InvariantCulture, $" {Percent(r.WantedAfter),8} {Percent(r.GotAfter),8} {r.Lost,8:N0}\n") : "\n");
        }

        if (virtualServer.Refused + virtualServer.RefusedAfter > 0)
            text.Append(CultureInfo.InvariantCulture, $"nobody took {virtualServer.Refused:N0} requests{(forecast.HasChange ? $", and {virtualServer.RefusedAfter:N0} afterwards" : "")}\n");
        if (forecast.HasChange)
            text.Append(MovedWords(forecast, virtualServer)).Append('\n');
        text.Append('\n');
    }

    /// <summary>How many clients meet another real server than before.</summary>
    public static string MovedWords(Forecast forecast, VirtualServerForecast virtualServer) => string.Create(CultureInfo.InvariantCulture,
        $"{virtualServer.Moved:N0} of {forecast.Clients:N0} clients ({Percent((double)virtualServer.Moved / forecast.Clients)}) meet another real server than before; {virtualServer.MovedWithoutNeed:N0} of them left one that still takes clients");

    /// <summary>With what becomes of it, if anything does.</summary>
    public static string NameOf(RealServerForecast realServer) => realServer.Change is { } change ? $"{realServer.Address} ({change})" : realServer.Address;

    /// <summary><c>33.3 %</c>, or a dash.</summary>
    public static string Percent(double? share) => share is { } known ? string.Create(CultureInfo.InvariantCulture, $"{100 * known:0.0} %") : "-";
}
