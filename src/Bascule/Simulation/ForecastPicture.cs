using System.Globalization;
using System.Net;
using System.Text;

namespace Bascule.Simulation;

/// <summary>A forecast as a picture (SVG): of each real server a bar for what it got, one for afterwards, and a mark where its share would be.</summary>
internal static class ForecastPicture
{
    private const int Margin = 20;
    private const int LeastNames = 230;
    private const int CharacterWidth = 8; // at most on average, in the widest of system fonts
    private const int BarsWidth = 430;
    private const int LabelsWidth = 80;
    private const int RowHeight = 34;

    // Readable on white and on black, as the reader's system has it.
    private const string Style = """
        <style>
          text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-weight: 600; font-size: 15px } .small { font-size: 12px; fill: #555 }
          .page { fill: #fff } .got { fill: #2f6fb5 } .after { fill: #d9822b } .wanted { stroke: #222; stroke-width: 2 } .axis { stroke: #999 }
          @media (prefers-color-scheme: dark) {
            text { fill: #eee } .small { fill: #aaa } .page { fill: #16181c } .got { fill: #6aa7e8 } .after { fill: #f0a35c } .wanted { stroke: #fff } .axis { stroke: #666 }
          }
        </style>
        """;

    public static string Write(Forecast forecast)
    {
        StringBuilder body = new();
        int y = 20;
        int barsBegin = Margin + int.Max(LeastNames, 10 + (CharacterWidth * forecast.VirtualServers.SelectMany(v => v.RealServers).Max(r => ForecastTable.NameOf(r).Length)));
        foreach (VirtualServerForecast virtualServer in forecast.VirtualServers)
            y = Write(forecast, virtualServer, barsBegin, y, body);
        int height = y + 24;
        int width = barsBegin + BarsWidth + LabelsWidth;
        Text(body, Margin, y + 6, "small", $"{forecast.Clients.ToString("N0", CultureInfo.InvariantCulture)} clients, {forecast.Requests} each. Blue: got. {(forecast.HasChange ? "Orange: after the change. " : "")}Upright line: wanted.");
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="Shares of the real servers">
            {Style}
            <rect class="page" width="{width}" height="{height}"/>
            {body}</svg>

            """);
    }

    private static int Write(Forecast forecast, VirtualServerForecast virtualServer, int barsBegin, int top, StringBuilder body)
    {
        double longest = virtualServer.RealServers.Max(r => double.Max(double.Max(r.Got, r.GotAfter), double.Max(r.Wanted ?? 0, r.WantedAfter ?? 0)));
        Text(body, Margin, top + 14, "title", $"{virtualServer.Name} ({virtualServer.Scheduler})");
        int y = top + 30;
        foreach (RealServerForecast realServer in virtualServer.RealServers)
        {
            Text(body, Margin, y + 18, "name", ForecastTable.NameOf(realServer));
            int thickness = forecast.HasChange ? 12 : 24;
            Bar(body, barsBegin, y, thickness, "got", realServer.Got, realServer.Wanted, longest);
            if (forecast.HasChange)
                Bar(body, barsBegin, y + 13, thickness, "after", realServer.GotAfter, realServer.WantedAfter, longest);
            y += RowHeight;
        }

        body.Append(CultureInfo.InvariantCulture, $"""<line class="axis" x1="{barsBegin}" y1="{top + 26}" x2="{barsBegin}" y2="{y}"/>""").Append('\n');
        if (forecast.HasChange)
            Text(body, Margin, y + 12, "small", ForecastTable.MovedWords(forecast, virtualServer));
        return y + 36;
    }

    private static void Bar(StringBuilder body, int barsBegin, int y, int thickness, string kind, double share, double? wanted, double longest)
    {
        double width = WidthOf(share, longest);
        body.Append(CultureInfo.InvariantCulture, $"""<rect class="{kind}" x="{barsBegin}" y="{y}" width="{width:0.#}" height="{thickness}" rx="2"/>""").Append('\n');
        if (wanted is { } line)
        {
            double x = barsBegin + WidthOf(line, longest);
            body.Append(CultureInfo.InvariantCulture, $"""<line class="wanted" x1="{x:0.#}" y1="{y - 1}" x2="{x:0.#}" y2="{y + thickness + 1}"/>""").Append('\n');
        }

        Text(body, barsBegin + (int)double.Max(width, WidthOf(wanted ?? 0, longest)) + 8, y + (thickness / 2) + 5, "small", ForecastTable.Percent(share));
    }

    private static double WidthOf(double share, double longest) => longest > 0 ? BarsWidth * share / longest : 0;

    private static void Text(StringBuilder body, int x, int y, string kind, string text) =>
        body.Append(CultureInfo.InvariantCulture, $"""<text class="{kind}" x="{x}" y="{y}">{WebUtility.HtmlEncode(text)}</text>""").Append('\n');
}
