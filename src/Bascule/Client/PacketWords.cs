using Bascule.Core.Api;

namespace Bascule.Client;

/// <summary>What the datapath's reasons mean, for people.</summary>
internal static class PacketWords
{
    /// <summary>Why it was dropped, after "12 packets:" or "dropped:".</summary>
    public static string Of(DropReason reason) => reason switch
    {
        DropReason.None => "not dropped",
        DropReason.Malformed => "malformed",
        DropReason.NoRealServer => "no real server can take them, and there is no sorry server",
        DropReason.Closed => "the virtual server takes no new flows",
        DropReason.RealServerGone => "of flows whose real server is down or gone (`expireNoDestination: true` gives them another)",
        DropReason.FlowTableFull => "the flow table is full (raise `packets.flows`)",
        DropReason.NoPortLeft => "nat has no port left by which the real server's answers could be told apart (full: widen `ports`; else leave the real server's port out)",
        DropReason.NoNeighbour => "the MAC address of the next hop is not known",
        DropReason.TooBig => "too big for the way to the real server; the client was told, where it can be",
        DropReason.Denied => "from clients that `deny` holds or `allow` does not",
        DropReason.SourceRate => "above `rates.packetsPerSecondPerSource`",
        DropReason.VirtualServerRate => "above `rates.newFlowsPerSecond`",
        DropReason.Flood => "first SYNs of sources never seen, in a flood",
        DropReason.FragmentUnknown => "fragments whose first was not seen",
        DropReason.Ttl => "their time to live ran out",
        DropReason.NoRoom => "the frame has no room for the tunnel's header",
        DropReason.Unsupported => "not supported, such as NAT between IPv4 and IPv6",
    };

    /// <summary>Why this real server, after its name.</summary>
    public static string Of(ChoiceReason reason, string scheduler) => reason switch
    {
        ChoiceReason.None => "none was chosen",
        ChoiceReason.Table => $"it has the flow's slot of the {scheduler} table, and has had it all along, so nothing is recorded",
        ChoiceReason.TablePrevious => $"the flow's slot of the {scheduler} table changes hands; a flow that is not new stays with the real server that had it",
        ChoiceReason.TableCurrent => $"the flow's slot of the {scheduler} table has changed hands; a flow that is not recorded goes to the real server that has it now",
        ChoiceReason.Flow => "the flow is recorded (`bascule list --connections` shows it)",
        ChoiceReason.HalfOpen => "its SYN was scheduled there a moment ago",
        ChoiceReason.Session => "the client is remembered (persistence)",
        ChoiceReason.Scheduler => $"{scheduler} chooses it now; the next new flow may get another",
        ChoiceReason.Fallback => "by hash without state, as in a flood, with a full flow table, or in the middle of a connection that is not recorded",
        ChoiceReason.Sorry => "it is the sorry server, and no real server can take it",
        ChoiceReason.IcmpInner => "the packet inside the ICMP error went there",
        ChoiceReason.Reply => "it is a real server's answer on its way back to the client",
    };
}
