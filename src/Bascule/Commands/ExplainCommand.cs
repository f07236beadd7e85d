using System.CommandLine;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Frames;

namespace Bascule.Commands;

/// <summary><c>bascule explain</c></summary>
internal static class ExplainCommand
{
    public static Command Build()
    {
        Option<string> packet = new("--packet", "-p")
        {
            Description = $"The packet: {PacketText.Example}.",
            HelpName = "PACKET",
            Required = true,
        };
        Option<string?> flags = new("--flags") { Description = "TCP flags of the packet: syn (as without this), ack, syn,ack, fin, rst, psh or none.", HelpName = "FLAGS" };
        packet.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && PacketText.Parse(token.Value, null, out string? complaint) is null)
                result.AddError($"--packet {token.Value}: {complaint}");
        });
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        Verb command = new("explain", "Say what the packet datapath would do with a packet: which virtual server, which real server and why, and where it goes.", """
            Runs the very program that is attached to the interfaces, over the same tables, on a packet made for the purpose. It
            changes nothing: no flow is recorded, no turn is taken, nothing is counted. A packet without SYN is one in the middle of
            a connection.
            """)
        {
            packet, flags, json, socket, file,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(flags) is { } given && result.GetValue(packet) is { } text && PacketText.Parse(text, null, out _) is not null
                && PacketText.Parse(text, given, out string? complaint) is null)
                result.AddError($"--flags {given}: {complaint}");
        });
        command.SetAction((result, cancellation) => RunAsync(result.GetRequiredValue(packet), result.GetValue(flags), result.GetValue(json),
            AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string packet, string? flags, bool json, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.ExplainAsync(packet, flags, cancellation) is not { } answer)
            return ExitCode.Failed;
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(answer, ApiJson.Readable.Explanation));
        else
            ExplanationText.Write(Console.Out, answer);
        return ExitCode.Ok;
    }
}
