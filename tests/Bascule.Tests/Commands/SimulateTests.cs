using System.Text.Json;
using System.Xml.Linq;
using Bascule.Simulation;

namespace Bascule.Tests.Commands;

public sealed class SimulateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bascule-simulate-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Tells_the_shares_and_whom_a_failure_moves_the_same_every_time()
    {
        string file = Write("web", "mh");

        (int code, string output, string error) = await BasculeProcess.RunAsync("simulate", file, "--clients", "3000", "--fail", "10.0.0.13");
        (_, string again, _) = await BasculeProcess.RunAsync("simulate", file, "--clients", "3000", "--fail", "10.0.0.13");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(output, again);
        string[] lines = output.Split('\n');
        Assert.Equal("web: mh, 3,000 clients, 1 each", lines[0]);
        Assert.Matches(@"^10\.0\.0\.11:80 +1 +25\.0 % +2[2-8]\.\d % +50\.0 % +(4[7-9]|5[0-3])\.\d % +0$", lines[2]);
        Assert.Matches(@"^10\.0\.0\.13:80 \(fails\) +2 +50\.0 % +(4[7-9]|5[0-3])\.\d % +0\.0 % +0\.0 % +1,\d\d\d$", lines[4]);
        Assert.Matches(@"^1,\d\d\d of 3,000 clients \((4[7-9]|5[0-3])\.\d %\) meet another real server than before; 0 of them left one that still takes clients$", lines[5]);
    }

    [Theory]
    [InlineData("rr", 0.3333, 0.3333, 0.3333)]
    [InlineData("wrr", 0.25, 0.25, 0.5)]
    [InlineData("wlc", 0.25, 0.25, 0.5)]
    [InlineData("sed", 0.25, 0.25, 0.5)]
    [InlineData("least-time", 0.25, 0.25, 0.5)]
    [InlineData("hash", 0.25, 0.25, 0.5)]
    [InlineData("fo", 0.0, 0.0, 1.0)]
    public async Task Runs_the_schedulers_themselves(string scheduler, double first, double second, double third)
    {
        double[] shares = [first, second, third];
        JsonElement web = (await AskAsync(Write("web", scheduler))).GetProperty("virtualServers")[0];

        Assert.Equal(scheduler, web.GetProperty("scheduler").GetString());
        for (int i = 0; i < shares.Length; i++)
        {
            JsonElement realServer = web.GetProperty("realServers")[i];
            Assert.Equal(shares[i], realServer.GetProperty("wanted").GetDouble(), tolerance: 0.0001);
            Assert.InRange(realServer.GetProperty("got").GetDouble(), shares[i] - 0.03, shares[i] + 0.03);
        }
    }

    [Fact]
    public async Task A_weight_that_changes_moves_clients_as_a_reload_would()
    {
        JsonElement web = (await AskAsync(Write("web", "{ type: mh, tableSize: 65521 }"), "--weight", "10.0.0.13:80=1")).GetProperty("virtualServers")[0];

        // Its share falls from 1/2 to 1/3: a sixth of all move, and hardly anybody else.
        Assert.InRange(web.GetProperty("moved").GetInt32() / 3000.0, 0.13, 0.21);
        Assert.Equal("weight 1", web.GetProperty("realServers")[2].GetProperty("change").GetString());
        Assert.Equal(1 / 3.0, web.GetProperty("realServers")[2].GetProperty("wantedAfter").GetDouble(), tolerance: 0.0001);
    }

    [Fact]
    public async Task Clients_with_a_session_stay_where_the_scheduler_alone_would_move_them()
    {
        string persistent = Write("web", "rr", "persistence: { by: source, timeout: 1h }");

        JsonElement web = (await AskAsync(persistent, "--fail", "10.0.0.11")).GetProperty("virtualServers")[0];

        Assert.Equal(0, web.GetProperty("movedWithoutNeed").GetInt32());
        Assert.Equal(1000, web.GetProperty("moved").GetInt32());
    }

    [Fact]
    public async Task Says_how_many_nobody_takes()
    {
        (int code, string output, _) = await BasculeProcess.RunAsync("simulate", Write("web", "wlc"), "--clients", "100", "--fail", "10.0.0.11", "--fail", "10.0.0.12", "--fail", "10.0.0.13");

        Assert.Equal(0, code);
        Assert.Contains("nobody took 0 requests, and 100 afterwards", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draws_a_picture_of_the_shares_before_and_after()
    {
        string svg = Path.Combine(_folder.FullName, "shares.svg");

        (int code, _, _) = await BasculeProcess.RunAsync("simulate", Write("web", "wrr"), "--svg", svg, "--fail", "10.0.0.12");

        Assert.Equal(0, code);
        XElement picture = XDocument.Load(svg).Root!;
        Assert.Equal("svg", picture.Name.LocalName);
        Assert.Equal(6, picture.Elements().Count(e => e.Name.LocalName == "rect" && (string?)e.Attribute("class") is "got" or "after"));
        Assert.Contains(picture.Elements(), e => e.Value == "10.0.0.12:80 (fails)");
    }

    [Fact]
    public void Nothing_of_the_file_is_markup_in_the_picture()
    {
        RealServerForecast realServer = new("<b>&\"", 1, "</text>", 1, 1, 1, 1, 0);

        string svg = ForecastPicture.Write(new("file", 1, 1, 1, HasChange: true, [new("<script>", "rr", [realServer], 0, 0, 0, 0)]));

        Assert.Contains(XDocument.Parse(svg).Root!.Elements(), e => e.Value == "<script> (rr)");
        Assert.Contains(XDocument.Parse(svg).Root!.Elements(), e => e.Value == "<b>&\" (</text>)");
    }

    [Fact]
    public void No_name_in_the_picture_runs_into_the_bars()
    {
        const double CharacterWidth = 7.4; // in Chromium with DejaVu Sans of 13 pixels
        RealServerForecast realServer = new("[2001:db8:1234:5678:9abc:def0:1234:5678]:18080", 1, null, 1, 1, 1, 1, 0);

        XElement picture = XDocument.Parse(ForecastPicture.Write(new("file", 1, 1, 1, HasChange: false, [new("web", "rr", [realServer], 0, 0, 0, 0)]))).Root!;

        double nameEnds = 20 + (CharacterWidth * realServer.Address.Length);
        XElement bar = picture.Elements().Single(e => (string?)e.Attribute("class") == "got");
        Assert.InRange((double)bar.Attribute("x")!, nameEnds, nameEnds + 60);
        Assert.InRange((double)bar.Attribute("x")! + (double)bar.Attribute("width")! + 60, 0, (double)picture.Attribute("width")!); // and its share stands beside it
    }

    [Theory]
    [InlineData("has no real server 10.0.0.99. There are 10.0.0.11:80, 10.0.0.12:80, 10.0.0.13:80.", 1, "--fail", "10.0.0.99")]
    [InlineData("has no virtual server other.", 1, "-v", "other")]
    [InlineData("--fail here: this is not an address, such as 10.0.0.11 or 10.0.0.11:8080", 2, "--fail", "here")]
    [InlineData("--weight 10.0.0.11=-1: this is not ADDRESS=N with a weight from 0 to 65535, such as 10.0.0.11=5", 2, "--weight", "10.0.0.11=-1")]
    [InlineData("--clients must be a number from 1 to 1000000, not 0", 2, "--clients", "0")]
    public async Task Says_what_is_wrong_with_the_question(string complaint, int exitCode, params string[] question)
    {
        (int code, _, string error) = await BasculeProcess.RunAsync(["simulate", Write("web", "rr"), .. question]);

        Assert.Equal(exitCode, code);
        Assert.Contains(complaint, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wants_nothing_of_fallback_servers_while_the_others_serve()
    {
        JsonElement web = (await AskAsync(Write("web", "rr", "fallbackServers: [10.0.0.21]"))).GetProperty("virtualServers")[0];

        Assert.Equal([0.333, 0.333, 0.333, 0], web.GetProperty("realServers").EnumerateArray().Select(r => double.Round(r.GetProperty("wanted").GetDouble(), 3)));
    }

    private string Write(string name, string scheduler, string more = "timeouts: { connect: 5s }")
    {
        string file = Path.Combine(_folder.FullName, "bascule.yaml");
        File.WriteAllText(file, $$"""
            virtualServers:
              {{name}}:
                address: 192.0.2.10:80
                protocol: http
                scheduler: {{scheduler}}
                {{more}}
                realServers: [10.0.0.11, 10.0.0.12, { address: 10.0.0.13, weight: 2 }]
            """);
        return file;
    }

    private static async Task<JsonElement> AskAsync(string file, params string[] more)
    {
        (int code, string output, string error) = await BasculeProcess.RunAsync(["simulate", file, "--clients", "3000", "--json", .. more]);
        Assert.Equal((0, ""), (code, error));
        return JsonDocument.Parse(output).RootElement;
    }
}
