using System.Globalization;
using System.Text;

namespace Bascule.Bench.Packets;

/// <summary>Windows into tables: medians, and ratios to the no-op of the same round.</summary>
internal static class Report
{
    private const double WorthSaying = 0.001; // of frames that did not come back

    /// <summary>What the script puts under its own heading.</summary>
    public static void Write(Settings settings, List<Window> windows, Rig rig)
    {
        StringBuilder page = new();
        foreach (IGrouping<int, Window> flows in windows.GroupBy(window => window.FlowBits))
        {
            page.AppendLine(Invariant($"\n## {1 << flows.Key:N0} {(flows.Key == 0 ? "flow" : "flows")}\n"));
            page.AppendLine("| traffic | what | hook | Mpps | × no-op | did not come back |").AppendLine("|---|---|---|---|---|---|");
            foreach (IGrouping<(TrafficKind, Subject), Window> row in Rows(flows))
                page.AppendLine(Line([.. row], [.. flows]));
        }

        File.WriteAllText(settings.Result, page.ToString());
        File.WriteAllLines(Path.ChangeExtension(settings.Result, ".csv"),
            ["flows,traffic,what,hook,round,sent,received,processor_seconds,wall_seconds", .. windows.Select(Csv)]);
        _ = rig;
    }

    /// <summary>The same, for whoever watches.</summary>
    public static void Print(IEnumerable<Window> windows)
    {
        Window[] all = [.. windows];
        foreach (IGrouping<(TrafficKind, Subject), Window> row in Rows(all))
            Console.WriteLine($"{1 << all[0].FlowBits,10:N0} {Line([.. row], all)}");
    }

    private static IEnumerable<IGrouping<(TrafficKind Kind, Subject Subject), Window>> Rows(IEnumerable<Window> windows) =>
        windows.GroupBy(window => (window.Kind, window.Subject)).OrderBy(row => row.Key.Kind).ThenBy(row => row.Key.Subject.Hook);

    private static string Line(Window[] row, Window[] all)
    {
        Subject subject = row[0].Subject;
        double[] rates = [.. row.Select(window => window.Rate).Order()];
        double[] ratios = [.. row.Select(window => window.Rate / NoOpOf(window, all)).Order()];
        double lost = Median([.. row.Select(window => window.Lost).Order()]);
        string ratio = subject.Name == Subjects.NoOp ? "1" : Invariant($"**{Median(ratios):0.00}** [{ratios[0]:0.00}–{ratios[^1]:0.00}]");
        return Invariant($"| {NameOf(row[0].Kind)} | {subject.Name} | {HookOf(subject.Hook)} | {Median(rates):0.00} [{rates[0]:0.00}–{rates[^1]:0.00}] | {ratio} | {(lost < WorthSaying ? "" : $"{lost:0.0 %}")} |");
    }

    private static double NoOpOf(Window window, Window[] all) =>
        all.First(other => other.Subject.Name == Subjects.NoOp && other.Kind == window.Kind && other.Round == window.Round && other.FlowBits == window.FlowBits).Rate;

    private static double Median(double[] sorted) => sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;

    private static string NameOf(TrafficKind kind) => kind switch
    {
        TrafficKind.Udp => "UDP",
        TrafficKind.TcpAck => "TCP, ACK",
        TrafficKind.TcpSyn => "TCP, SYN",
        TrafficKind.Ipv6Udp => "UDP over IPv6",
    };

    private static string HookOf(Hook hook) => hook switch
    {
        Hook.Native => "XDP native",
        Hook.Generic => "XDP generic",
        Hook.Tcx => "tcx",
        Hook.Stack => "the kernel's stack",
    };

    private static string Csv(Window window) => Invariant(
        $"{1 << window.FlowBits},{window.Kind},{window.Subject.Name},{window.Subject.Hook},{window.Round},{window.Sent},{window.Received},{window.Processor.TotalSeconds:0.000000},{window.Wall.TotalSeconds:0.000000}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
