using System.CommandLine;
using System.CommandLine.Invocation;
using Bascule.Core.Model;

namespace Bascule.Commands;

/// <summary>All verbs. Each is built in its own file; what a verb needs is only loaded when it runs.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("Bascule balances, checks and fails over: a load balancer for Linux.")
        {
            RunCommand.Build(),
            CheckCommand.Build(),
            SimulateCommand.Build(),
            StatusCommand.Build(),
            ListCommand.Build(),
            StatsCommand.Build(),
            TopCommand.Build(),
            StateCommand.Build(AdministrativeState.Drain),
            StateCommand.Build(AdministrativeState.Maintenance),
            StateCommand.Build(AdministrativeState.Enabled),
            ExplainCommand.Build(),
            CaptureCommand.Build(),
            DetachCommand.Build(),
            ReloadCommand.Build(),
            HaCommand.Build(),
            HandoverCommand.Build(),
            DemoCommand.Build(),
            ConfigCommand.Build(),
            VersionCommand.Build(),
            DecapCommand.Build(),
            LabCommand.Build(),
            DemoServerCommand.Build(),
            LabServerCommand.Build(),
            LabWatchCommand.Build(),
        };
        foreach (Command command in EditCommand.BuildAll())
            root.Add(command);
        Verb.ShowDetailsInHelp(root);
        ParseResult parsed = root.Parse(args);
        // The daemon drains for as long as its file allows: the library must not end it two seconds after a signal.
        int code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
        // Who asks for help need not write what the verb requires.
        return parsed.Action is ParseErrorAction ? ExitCode.Usage : code;
    }
}
