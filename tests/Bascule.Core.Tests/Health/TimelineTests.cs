using System.Globalization;
using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Config;
using Bascule.Testing;

namespace Bascule.Core.Tests.Health;

/// <summary>
/// What becomes of a real server, answer by answer: each file in <c>timelines</c> holds a check as in the configuration, the answers (P passes, F
/// fails), a line of dashes, and when it was asked and what state it was in then. After a change that is meant, run the tests with
/// BASCULE_ACCEPT_CASES=1 to write the timelines anew, and read the difference.
/// </summary>
public sealed class TimelineTests
{
    private static readonly string Dashes = new('-', 60);

    private static string Folder => Path.Combine(TestFolder.Here(), "timelines");

    public static TheoryData<string> Timelines => [.. Directory.GetFiles(Folder, "*.timeline").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Timelines))]
    public void Goes_as_the_timeline_says(string name)
    {
        string file = Path.Combine(Folder, name + ".timeline");
        string[] parts = File.ReadAllText(file).Split($"{Dashes}\n");
        string[] head = parts[0].Split('\n');

        string timeline = Live(CheckOf(head[0]), head[1]["answers: ".Length..].Replace(" ", "", StringComparison.Ordinal));

        if (Environment.GetEnvironmentVariable("BASCULE_ACCEPT_CASES") == "1")
            File.WriteAllText(file, $"{parts[0]}{Dashes}\n{timeline}");
        else
            Assert.Equal(parts[1], timeline);
    }

    private static Check CheckOf(string line) =>
        ConfigurationText.Check(Encoding.UTF8.GetBytes($"virtualServers: {{ web: {{ address: 192.0.2.1:80, {line}, realServers: [10.0.0.1] }} }}")).Meant!.VirtualServers[0].Check!;

    private static string Live(Check check, string answers)
    {
        ManualClock clock = new();
        long start = clock.GetTimestamp();
        Cadence cadence = new(check, check.BeginsUp);
        StringBuilder timeline = new();
        foreach (char answer in answers)
        {
            TimeSpan now = clock.GetElapsedTime(start);
            bool changed = cadence.Take(answer == 'P', now);
            string change = !changed ? "" : cadence.IsFlapping ? "<- changed, flapping" : "<- changed";
            timeline.Append(string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds,7:0.0} s  {(answer == 'P' ? "passes" : "fails"),-6}  {(cadence.IsUp ? "up" : "down"),-4}  {change}").TrimEnd()).Append('\n');
            clock.Advance(cadence.NextCheck(now, now, TimeSpan.Zero, jitter: 0) - now);
        }

        return timeline.ToString();
    }
}
