namespace Bascule.Core.Model;

/// <summary>Does it answer a datagram, or at least not refuse it?</summary>
public sealed record UdpCheck : Check
{
    /// <summary>What is sent; empty: an empty datagram.</summary>
    public required ValueList<byte> Payload { get; init; }

    /// <summary>Text that the answer must contain; null: any answer passes.</summary>
    public required ValueList<byte>? Reply { get; init; }

    /// <summary>Bytes that the answer must begin with, null for any byte; null: any answer passes.</summary>
    public required ValueList<byte?>? ReplyPattern { get; init; }

    /// <summary>
    /// Whether an answer must come. Otherwise it also passes when within half of <see cref="Check.Timeout"/> nothing has come, neither an answer nor the word that
    /// nobody listens (ICMP port unreachable).
    /// </summary>
    public required bool RequiresReply { get; init; }

    /// <inheritdoc/>
    public override string Words => "udp";
}
