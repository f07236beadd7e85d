using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Commands;

/// <summary><c>bascule list</c></summary>
internal static class ListCommand
{
    private const int ConnectionsUnlessTold = 1000;

    /// <summary>The command line as given.</summary>
    private sealed record Wanted(ListView View, bool Connections, string? VirtualServer, int Most, bool Json);

    public static Command Build()
    {
        Option<bool> numeric = new("--numeric", "-n") { Description = "Addresses and ports as numbers; they always are." };
        Option<bool> stats = new("--stats") { Description = "What went through: connections, packets and bytes." };
        Option<bool> rate = new("--rate") { Description = "What goes through in a second." };
        Option<bool> thresholds = new("--thresholds") { Description = "How many connections each may have (maxConnections, resumeConnections)." };
        Option<bool> persistent = new("--persistent", "--persistent-conn") { Description = "How many clients are remembered for each (persistence)." };
        Option<bool> connections = new("--connections", "-C") { Description = "The flows that the packet datapath has recorded, one a line." };
        Option<string?> virtualServer = new("--virtual-server", "-v") { Description = "Only this one.", HelpName = "NAME" };
        Option<int> most = new("--most") { Description = "With --connections: no more than so many lines.", HelpName = "N", DefaultValueFactory = _ => ConnectionsUnlessTold };
        most.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int value) && value is >= 1 and <= 100_000_000))
                result.AddError($"--most must be a number from 1 to 100000000, not {token.Value}");
        });
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("list", "List virtual servers and real servers as ipvsadm does, their counters or rates, or the recorded connections.", """
            Rates are IPVS's: every two seconds the rate of those is averaged in with a quarter of the weight. A dash is what nobody
            counts: the proxy sees no packets, and answers by direct routing or tunnel do not come back through the director.
            --connections shows what the datapath has recorded. Virtual servers with mh, sh or dh need no record of most flows.
            With --json the tables are the same records as in `bascule status --json`, and connections one object a line.
            """)
        {
            numeric, stats, rate, thresholds, persistent, connections, virtualServer, most, json, socket, file,
        };
        Option<bool>[] views = [stats, rate, thresholds, persistent, connections];
        command.Validators.Add(result =>
        {
            string[] given = [.. views.Where(v => result.GetValue(v)).Select(v => v.Name)];
            if (given.Length > 1)
                result.AddError($"{string.Join(" and ", given)} are different lists; ask for one of them");
        });
        command.SetAction((result, cancellation) =>
        {
            ListView view = result.GetValue(stats) ? ListView.Stats : result.GetValue(rate) ? ListView.Rate
                : result.GetValue(thresholds) ? ListView.Thresholds : result.GetValue(persistent) ? ListView.Persistent : ListView.Plain;
            Wanted wanted = new(view, result.GetValue(connections), result.GetValue(virtualServer), result.GetValue(most), result.GetValue(json));
            return RunAsync(wanted, AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Wanted wanted, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        bool isDone = wanted.Connections ? await ListConnectionsAsync(wanted, daemon, cancellation) : await ListServersAsync(wanted, daemon, cancellation);
        return isDone ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<bool> ListServersAsync(Wanted wanted, AdminClient daemon, CancellationToken cancellation)
    {
        if (await daemon.StatusAsync(cancellation) is not { } status)
            return false;
        VirtualServerStatus[] listed = [.. status.VirtualServers.Where(v => wanted.VirtualServer is null || v.Name == wanted.VirtualServer)];
        if (listed.Length == 0)
        {
            Console.Error.WriteLine($"There is no virtual server {wanted.VirtualServer}; there are {string.Join(", ", status.VirtualServers.Select(v => v.Name))}.");
            return false;
        }

        IReadOnlyCollection<SessionCount>? sessions = wanted.View == ListView.Persistent ? await daemon.SessionsAsync(cancellation) : [];
        if (sessions is null)
            return false;
        if (!wanted.Json)
            ListText.Write(Console.Out, listed, wanted.View, sessions);
        else if (wanted.View == ListView.Persistent)
            Console.Out.WriteLine(JsonSerializer.Serialize([.. sessions], ApiJson.Readable.SessionCountArray));
        else
            Console.Out.WriteLine(JsonSerializer.Serialize(listed, ApiJson.Readable.VirtualServerStatusArray));
        return true;
    }

    private static async Task<bool> ListConnectionsAsync(Wanted wanted, AdminClient daemon, CancellationToken cancellation)
    {
        // One more than wanted: whether there are more is worth knowing.
        string query = $"most={wanted.Most + 1}{(wanted.VirtualServer is null ? "" : $"&virtualServer={Uri.EscapeDataString(wanted.VirtualServer)}")}";
        using StreamWriter output = new(Console.OpenStandardOutput(), leaveOpen: true);
        ConnectionText table = new(output);
        int count = 0;
        bool isWhole = await daemon.ConnectionsAsync(query, entry =>
        {
            if (count++ == 0 && !wanted.Json)
                table.WriteHeading();
            if (count > wanted.Most)
                return;
            if (wanted.Json)
                output.WriteLine(JsonSerializer.Serialize(entry, ApiJson.Lines.ConnectionEntry));
            else
                table.Write(entry);
        }, cancellation);
        await output.FlushAsync(cancellation);
        if (isWhole && count == 0)
            Console.Error.WriteLine("No connection is recorded.");
        if (count > wanted.Most)
            Console.Error.WriteLine($"There are more; --most {(long)wanted.Most * 10} shows more of them.");
        return isWhole;
    }
}
