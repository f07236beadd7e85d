using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Packets.Xdp;

namespace Bascule.Commands;

/// <summary><c>bascule check</c></summary>
internal static class CheckCommand
{
    public static Command Build()
    {
        Argument<string> file = new("FILE")
        {
            Description = "The configuration file.",
            DefaultValueFactory = _ => Shared.DefaultFile,
        };
        Option<bool> json = Shared.Json();
        Verb command = new("check", "Check a configuration file without running it.", """
            Prints every problem as FILE:LINE:COLUMN: what is wrong (what to do), and exits with 1; or one line for each
            virtual server, and exits with 0. What is allowed and most likely not wanted is printed as a warning.
            """)
        {
            file, json,
        };
        command.SetAction(result => Run(result.GetRequiredValue(file), result.GetValue(json)));
        return command;
    }

    private static int Run(string file, bool json)
    {
        CheckedConfiguration read = ConfigurationFile.LoadToRun(file);
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(CheckReport.Of(file, read), ProgramJson.Readable.CheckReport));
        else if (read.Meant is { } configuration)
            Summarise(file, configuration, read.Warnings);
        else
            Complain(file, read);
        return read.Meant is null ? ExitCode.Failed : ExitCode.Ok;
    }

    /// <summary>Prints the problems where they are seen whatever becomes of stdout.</summary>
    public static void Complain(string file, CheckedConfiguration read)
    {
        foreach (Problem problem in read.Problems)
            Console.Error.WriteLine(problem.Format(file));
    }

    private static void Summarise(string file, Configuration configuration, ImmutableArray<Problem> warnings)
    {
        foreach (Problem warning in warnings)
            Console.Error.WriteLine(warning.FormatWarning(file));
        foreach (Core.Model.VirtualServer virtualServer in configuration.VirtualServers)
            Console.Out.WriteLine(Summary.Of(virtualServer));
        // The file is right, and another build of the program would serve it: so a remark, not a problem.
        if (!DatapathObject.IsIncluded && configuration.VirtualServers.FirstOrDefault(v => !v.IsProxied) is { } first)
            Console.Error.WriteLine($"{first.Name} and whatever else has `forward` nat, dr or tun would not be served: this program was built without the packet datapath, on a machine without clang or libbpf-dev.");
    }
}
