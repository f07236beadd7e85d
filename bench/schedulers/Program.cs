using System.Globalization;
using System.Text;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Bascule.Bench.Schedulers;
using Bascule.Core.Api;
using Bascule.Core.Model;

// schedulers-bench PAGE [--smoke]: measures, and writes the table of all schedulers to PAGE.
bool isSmoke = args.Contains("--smoke");
Job job = (isSmoke ? Job.Dry : Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(100)).WithWarmupCount(4).WithIterationCount(10)).WithToolchain(InProcessEmitToolchain.Instance);
double loadBefore = Load();
Summary summary = BenchmarkRunner.Run<Picks>(ManualConfig.CreateEmpty()
    .AddJob(job).AddLogger(ConsoleLogger.Default).AddColumnProvider(DefaultColumnProviders.Instance)
    .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "bascule-schedulers-bench"))
    .WithOptions(ConfigOptions.DisableOptimizationsValidator));
if (summary.HasCriticalValidationErrors || summary.Reports.Any(r => !r.Success))
    return 1;
File.WriteAllText(args[0], Page());
Console.WriteLine(Page());
return 0;

static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

string Page()
{
    StringBuilder page = new();
    page.Append(CultureInfo.InvariantCulture, $"""
        # What a choice costs

        `bench/schedulers/run{(isSmoke ? " --smoke" : "")}` (BenchmarkDotNet {typeof(Job).Assembly.GetName().Version!.ToString(3)}, {summary.HostEnvironmentInfo.RuntimeVersion})

        - Machine: {Environment.ProcessorCount} × {File.ReadLines("/proc/cpuinfo").First(l => l.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim()}
        - Date: {TimeProvider.System.GetLocalNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}
        - Load when it began: {loadBefore:0.0}, when it ended: {Load():0.0} processes that wanted one of the cores. Above 1 the figures are too high.

        Nanoseconds for one choice on one thread, the median of {(isSmoke ? "one run" : "ten runs")}, every real server up; in brackets bytes allocated.

        | scheduler | 10 real servers | 100 | 1,000 |
        |---|---|---|---|

        """);
    foreach (IGrouping<SchedulerKind, BenchmarkReport> kind in summary.Reports.GroupBy(r => (SchedulerKind)r.BenchmarkCase.Parameters["Kind"]))
    {
        IEnumerable<string> cells = kind.OrderBy(r => (int)r.BenchmarkCase.Parameters["RealServers"]).Select(r => string.Create(
            CultureInfo.InvariantCulture, $"{r.ResultStatistics!.Median:0} ({r.GcStats.GetBytesAllocatedPerOperation(r.BenchmarkCase) ?? 0:0})"));
        page.Append(CultureInfo.InvariantCulture, $"| `{StatusReader.ShortName(kind.Key)}` | {string.Join(" | ", cells)} |\n");
    }

    return page.ToString();
}
