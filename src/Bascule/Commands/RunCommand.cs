using System.CommandLine;
using Bascule.Daemon;

namespace Bascule.Commands;

/// <summary><c>bascule run</c></summary>
internal static class RunCommand
{
    public static Command Build()
    {
        Option<string> file = new("--config", "-c")
        {
            Description = "The configuration file.",
            HelpName = "FILE",
            DefaultValueFactory = _ => Shared.DefaultFile,
        };
        Option<string?> state = new("--state") { Description = "Keep operators' states (drain, maintenance) in this file, whatever stateFile says.", HelpName = "FILE" };
        Verb command = new("run", "Run the director in the foreground until SIGTERM or Ctrl-C.", """
            Logs to stderr. SIGHUP (or `bascule reload`) reads the file again. On SIGTERM it accepts nothing new and lets what
            is open finish for up to shutdownTimeout; a second signal ends it at once.
            """)
        {
            file, state,
        };
        command.SetAction((result, _) => DaemonProcess.RunAsync(result.GetRequiredValue(file), result.GetValue(state)));
        return command;
    }
}
