using System.Collections.Immutable;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using Bascule.Core.Api;
using Bascule.Core.Frames;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>The answers about the packet datapath. What there may be much of is streamed as it is read, and has an end.</summary>
internal static class PacketApi
{
    private const int ConnectionsUnlessTold = 10_000;
    private const int MostConnections = 100_000_000;
    private const int WholeFrame = 2048; // bpf/types.h: CAPTURE_BYTES
    private const int LongestCapture = 86_400;
    private const int FlushBytes = 64 * 1024;

    /// <summary>How long the last packet's way out is waited for.</summary>
    private static readonly TimeSpan LastFramePatience = TimeSpan.FromMilliseconds(200);

    /// <summary><c>GET /v1/connections?virtualServer=web&amp;realServer=10.0.0.11:80&amp;most=10000</c>: one JSON object a line.</summary>
    public static async Task ConnectionsAsync(PacketAnswers packets, HttpContext context)
    {
        IPEndPoint? realServer = null;
        if (context.Request.Query["realServer"].ToString() is { Length: > 0 } text && !IPEndPoint.TryParse(text, out realServer))
        {
            await RefuseAsync(context, $"realServer is not an address with a port: {text}", "write for example realServer=10.0.0.11:80");
            return;
        }

        string? virtualServer = Text(context, "virtualServer");
        if (await NumberAsync(context, "most", ConnectionsUnlessTold, 1, MostConnections) is not { } most
            || !await KnowsAsync(packets, virtualServer, context))
            return;
        context.Response.ContentType = "application/x-ndjson";
        PipeWriter writer = context.Response.BodyWriter;
        using Utf8JsonWriter json = new(writer);
        foreach (ConnectionEntry entry in packets.Connections(new(virtualServer, realServer, most)))
        {
            JsonSerializer.Serialize(json, entry, ApiJson.Lines.ConnectionEntry);
            json.Reset();
            "\n"u8.CopyTo(writer.GetSpan(1));
            writer.Advance(1);
            if (writer.UnflushedBytes >= FlushBytes)
                await writer.FlushAsync(context.RequestAborted);
        }

        await writer.FlushAsync(context.RequestAborted);
    }

    /// <summary><c>GET /v1/explain?packet=tcp+198.51.100.7:4242+>+192.0.2.10:80&amp;flags=syn</c></summary>
    public static Task ExplainAsync(PacketAnswers packets, HttpContext context) =>
        PacketText.Parse(context.Request.Query["packet"].ToString(), Text(context, "flags"), out string? complaint) is { } packet
            ? AdminApi.AnswerAsync(context, StatusCodes.Status200OK, packets.Explain(packet), ApiJson.Readable.Explanation)
            : RefuseAsync(context, complaint!, $"write for example packet={PacketText.Example}");

    /// <summary><c>GET /v1/capture?virtualServer=web&amp;count=100&amp;seconds=10&amp;oneIn=1&amp;bytes=2048</c>: a pcapng file that grows.</summary>
    public static async Task CaptureAsync(PacketAnswers packets, HttpContext context)
    {
        if (Text(context, "virtualServer") is not { } virtualServer)
        {
            await RefuseAsync(context, "no virtual server is named", "write virtualServer= and its name");
            return;
        }

        if (await NumberAsync(context, "count", int.MaxValue, 1, int.MaxValue) is not { } count
            || await NumberAsync(context, "seconds", LongestCapture, 1, LongestCapture) is not { } seconds
            || await NumberAsync(context, "oneIn", 1, 1, int.MaxValue) is not { } oneIn
            || await NumberAsync(context, "bytes", WholeFrame, 14, WholeFrame) is not { } bytes
            || !await KnowsAsync(packets, virtualServer, context))
            return;
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        end.CancelAfter(TimeSpan.FromSeconds(seconds));
        if (packets.Capture(new(virtualServer, oneIn, bytes), end.Token) is not { } frames)
        {
            await AdminApi.AnswerAsync(context, StatusCodes.Status409Conflict,
                new ApiError("another capture is running", "one runs at a time; wait for it, or end it with Ctrl-C"), ApiJson.Readable.ApiError);
            return;
        }

        context.Response.ContentType = "application/x-pcapng";
        await WriteAsync(frames, new(context.Response.BodyWriter, bytes), context.Response.BodyWriter, count, end);
    }

    /// <summary><c>POST /v1/detach</c></summary>
    public static Task DetachAsync(PacketAnswers packets, HttpContext context) =>
        AdminApi.AnswerAsync(context, StatusCodes.Status200OK, packets.Detach(), ApiJson.Readable.DetachResult);

    private static async Task WriteAsync(IAsyncEnumerable<CapturedFrame> frames, PcapngWriter pcapng, PipeWriter to, int count, CancellationTokenSource end)
    {
        pcapng.Begin("bascule capture");
        await to.FlushAsync(CancellationToken.None);
        int packets = 0;
        uint last = 0;
        try
        {
            await foreach (CapturedFrame frame in frames.WithCancellation(end.Token))
            {
                if (packets == count && (frame.Number != last || !frame.IsOutgoing))
                    continue;
                pcapng.Write(frame);
                await to.FlushAsync(end.Token);
                if (packets == count)
                    break;
                if (frame.IsOutgoing || ++packets < count)
                    continue;
                last = frame.Number;
                end.CancelAfter(LastFramePatience);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The time is over, or the client has gone: the file is whole at every block.
        }
    }

    private static string? Text(HttpContext context, string name) => context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary>The number, or null when it is none and that has been answered.</summary>
    private static async Task<int?> NumberAsync(HttpContext context, string name, int otherwise, int least, int most)
    {
        if (Text(context, name) is not { } text)
            return otherwise;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
            return number;
        await RefuseAsync(context, $"{name}={text} is not a number from {least} to {most}", $"write for example {name}={int.Max(least, 1)}");
        return null;
    }

    private static async Task<bool> KnowsAsync(PacketAnswers packets, string? virtualServer, HttpContext context)
    {
        ImmutableDictionary<string, PacketTraffic> known = packets.Report().VirtualServers;
        if (virtualServer is null || known.ContainsKey(virtualServer))
            return true;
        await AdminApi.AnswerAsync(context, StatusCodes.Status404NotFound,
            new ApiError($"there is no virtual server {virtualServer} on the packet datapath",
                known.IsEmpty ? "none of this director's is on it" : $"there are {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}"), ApiJson.Readable.ApiError);
        return false;
    }

    private static Task RefuseAsync(HttpContext context, string what, string hint) =>
        AdminApi.AnswerAsync(context, StatusCodes.Status400BadRequest, new ApiError(what, hint), ApiJson.Readable.ApiError);
}
