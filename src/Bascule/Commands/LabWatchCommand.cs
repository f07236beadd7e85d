using System.CommandLine;
using System.Net;
using Bascule.Lab.Watch;

namespace Bascule.Commands;

/// <summary><c>bascule lab-watch</c>: the lab's judge of who has an address. Not for people.</summary>
internal static class LabWatchCommand
{
    public static Command Build()
    {
        Argument<string> port = new("INTERFACE");
        Argument<string> address = new("ADDRESS");
        Argument<ushort> service = new("PORT");
        Argument<int> milliseconds = new("MILLISECONDS");
        Command command = new(WatchServer.Verb, "Watches who has an address.") { port, address, service, milliseconds };
        command.Hidden = true;
        command.SetAction((result, _) => WatchServer.RunAsync(
            result.GetRequiredValue(port), IPAddress.Parse(result.GetRequiredValue(address)), result.GetRequiredValue(service), TimeSpan.FromMilliseconds(result.GetRequiredValue(milliseconds))));
        return command;
    }
}
