using System.CommandLine;
using Bascule.Demo;

namespace Bascule.Commands;

/// <summary><c>bascule demo-server</c>: what the demo starts three times. Not for people.</summary>
internal static class DemoServerCommand
{
    public static Command Build()
    {
        Argument<string> name = new("NAME");
        Argument<int> port = new("PORT");
        Command command = new(DemoServer.Verb, "One of the demo's real servers.") { name, port };
        command.Hidden = true;
        command.SetAction((result, _) => DemoServer.RunAsync(result.GetRequiredValue(name), result.GetRequiredValue(port)));
        return command;
    }
}
