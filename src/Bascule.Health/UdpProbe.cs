using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does it answer a datagram, or at least not refuse it?</summary>
internal sealed class UdpProbe(UdpCheck check, IPEndPoint target, TimeProvider time) : Probe
{
    private const int LargestDatagram = 65_535;

    /// <inheritdoc/>
    public override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = new(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            Mark(socket, mark);
            await socket.ConnectAsync(target, cancellation); // so that ICMP errors come back to it, and strangers' datagrams do not
            await socket.SendAsync(check.Payload.AsImmutableArray().AsMemory(), cancellation);
            return check.RequiresReply ? Judge(await ReceiveAsync(socket, cancellation)) : await ListenAsync(socket, cancellation);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Verdict.Failed("nobody listens (ICMP port unreachable)");
        }
        catch (SocketException e)
        {
            return VerdictOn(e);
        }
    }

    /// <summary>Silence is good enough, but no bad word may come.</summary>
    private async Task<Verdict> ListenAsync(Socket socket, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = new(check.Timeout / 2, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return Judge(await ReceiveAsync(socket, either.Token));
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Verdict.Pass("no answer and no refusal");
        }
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[LargestDatagram];
        int count = await socket.ReceiveAsync(buffer, cancellation);
        return buffer[..count];
    }

    private Verdict Judge(ReadOnlySpan<byte> answer)
    {
        if (check.ReplyPattern is { } pattern && !Begins(answer, pattern))
            return Verdict.Failed($"the answer begins with {Convert.ToHexStringLower(answer[..int.Min(answer.Length, pattern.Count)])}, not with {InHex(pattern)}");
        if (check.Reply is { } text && answer.IndexOf(text.AsImmutableArray().AsSpan()) < 0)
            return Verdict.Failed($"the answer {Conversation.Show(answer)} does not contain {Conversation.Show(text.AsImmutableArray().AsSpan())}");
        return Verdict.Pass($"{answer.Length} {(answer.Length == 1 ? "byte" : "bytes")}");
    }

    private static bool Begins(ReadOnlySpan<byte> answer, ValueList<byte?> pattern)
    {
        if (answer.Length < pattern.Count)
            return false;
        for (int i = 0; i < pattern.Count; i++)
        {
            if (pattern[i] is { } known && known != answer[i])
                return false;
        }

        return true;
    }

    private static string InHex(ValueList<byte?> pattern) => string.Concat(pattern.Select(one => one is { } known ? $"{known:x2}" : "XX"));
}
