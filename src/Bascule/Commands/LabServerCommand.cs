using System.CommandLine;
using Bascule.Lab;

namespace Bascule.Commands;

/// <summary><c>bascule lab-server</c>: what the lab starts on each real server. Not for people.</summary>
internal static class LabServerCommand
{
    public static Command Build()
    {
        Argument<string> name = new("NAME");
        Command command = new(LabServer.Verb, "One of the lab's real servers.") { name };
        command.Hidden = true;
        command.SetAction((result, _) => LabServer.RunAsync(result.GetRequiredValue(name)));
        return command;
    }
}
