using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Commands;

/// <summary><c>bascule drain</c>, <c>bascule maintenance</c> and <c>bascule enable</c></summary>
internal static class StateCommand
{
    private static readonly TimeSpan WaitsUnlessTold = TimeSpan.FromHours(1);

    /// <summary>The command line as given.</summary>
    private sealed record Wanted(StateRequest Request, bool Wait, TimeSpan Timeout, bool Json);

    public static Command Build(AdministrativeState state)
    {
        Argument<string[]> names = new("name")
        {
            Description = "WEB for a virtual server with all its real servers, WEB/ADDRESS or WEB/ADDRESS:PORT for one real server; several are possible.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> why = new("--why") { Description = "Why, for those who look at the status.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<bool> wait = new("--wait") { Description = WaitText(state) };
        Option<int> timeout = new("--timeout") { Description = "With --wait: no longer than so many seconds.", HelpName = "SECONDS", DefaultValueFactory = _ => (int)WaitsUnlessTold.TotalSeconds };
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new(state.Word(), Description(state), Details(state)) { names, why, wait, timeout, json, socket, file };
        command.SetAction((result, cancellation) =>
        {
            StateRequest request = new() { Names = [.. result.GetRequiredValue(names)], State = state, By = Shared.Operator(), Why = result.GetRequiredValue(why) };
            Wanted wanted = new(request, result.GetValue(wait), TimeSpan.FromSeconds(result.GetValue(timeout)), result.GetValue(json));
            return RunAsync(wanted, AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation);
        });
        return command;
    }

    private static string Description(AdministrativeState state) => state switch
    {
        AdministrativeState.Enabled => "Give a real server or virtual server work again.",
        AdministrativeState.Drain => "Send no new clients to a real server; those who are there may finish.",
        AdministrativeState.Maintenance => "Take a real server or virtual server out of service.",
    };

    private static string Details(AdministrativeState state) => state switch
    {
        AdministrativeState.Enabled => """
            It works again as its check and weight say. This goes before a `state` in the file until the file says something else.
            """,
        AdministrativeState.Drain => """
            Clients that have a connection or a session there (persistence) go on until it ends. Of a virtual server: all its real
            servers are drained. This lasts over reloads and restarts, until `bascule enable` or another `state` in the file.
            """,
        AdministrativeState.Maintenance => """
            It counts as down, whatever its check says: sessions move elsewhere, only open connections finish. Of a virtual server:
            clients get the sorry server, or what they get when nobody is up. This lasts over reloads and restarts, until `bascule
            enable` or another `state` in the file.
            """,
    };

    private static string WaitText(AdministrativeState state) => state switch
    {
        AdministrativeState.Enabled => "Wait until it takes connections.",
        AdministrativeState.Drain => "Wait until no connection and no session is left; the exit code is 1 when some are left in the end.",
        AdministrativeState.Maintenance => "Wait until no connection is left; the exit code is 1 when some are left in the end.",
    };

    private static async Task<int> RunAsync(Wanted wanted, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.SayStateAsync(wanted.Request, cancellation) is not { } result)
            return ExitCode.Failed;
        if (wanted.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(result, ApiJson.Readable.StateResult));
        else
            Show(result);
        foreach (string note in result.Notes)
            Console.Error.WriteLine(note);
        return !wanted.Wait || await new StateWait(daemon, Console.Error, TimeProvider.System).UntilDoneAsync(wanted.Request, wanted.Timeout, cancellation) ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Show(StateResult result)
    {
        foreach (StateChange change in result.Changed)
            Console.Out.WriteLine(change.Before == change.State ? $"{change.Name}: {change.State.Word()}, as before" : $"{change.Name}: {change.State.Word()} (was {change.Before.Word()})");
    }
}
