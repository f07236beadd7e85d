namespace Bascule.Packets.Xdp;

/// <summary>Names and timeouts of flows' states: IPVS's, as in bpf/states.h.</summary>
internal static class FlowStates
{
    /// <summary>As ipvsadm lists it.</summary>
    public static string NameOf(FlowState state) => state switch
    {
        FlowState.None => "NONE",
        FlowState.Established => "ESTABLISHED",
        FlowState.SynSent => "SYN_SENT",
        FlowState.SynReceived => "SYN_RECV",
        FlowState.FinWait => "FIN_WAIT",
        FlowState.TimeWait => "TIME_WAIT",
        FlowState.Close => "CLOSE",
        FlowState.CloseWait => "CLOSE_WAIT",
        FlowState.LastAck => "LAST_ACK",
        FlowState.Udp => "UDP",
    };

    /// <summary>Seconds that a flow in this state may be silent.</summary>
    public static int Patience(FlowState state, in VirtualServer settings) => state switch
    {
        FlowState.Established => (int)settings.TcpTimeout,
        FlowState.FinWait => (int)settings.TcpFinTimeout,
        FlowState.Udp => (int)settings.UdpTimeout,
        FlowState.SynSent or FlowState.TimeWait => 120,
        FlowState.LastAck => 30,
        FlowState.Close => 10,
        FlowState.None or FlowState.SynReceived or FlowState.CloseWait => 60,
    };
}
