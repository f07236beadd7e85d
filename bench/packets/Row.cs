using Bascule.Linux.Bpf;

namespace Bascule.Bench.Packets;

/// <summary>Where what is measured sits.</summary>
internal enum Hook
{
    Native,
    Generic,
    Tcx,
    Stack,
}

/// <summary>One thing that is measured: a program at a hook, or the kernel itself.</summary>
internal sealed record Subject(string Name, Hook Hook, BpfProgram? Program)
{
    public AttachPoint Point => Hook switch
    {
        Hook.Native => AttachPoint.XdpNative,
        Hook.Generic => AttachPoint.XdpGeneric,
        Hook.Tcx => AttachPoint.TcxIngress,
        Hook.Stack => throw new InvalidOperationException("nothing is attached for the kernel's own forwarding"),
    };
}

/// <summary>One window.</summary>
/// <param name="Subject">What was measured.</param>
/// <param name="Kind">The traffic.</param>
/// <param name="FlowBits">Two to this power of flows.</param>
/// <param name="Round">Counted from 0; figures of one round were taken one after the other.</param>
/// <param name="Sent">Frames made.</param>
/// <param name="Received">Frames that came back.</param>
/// <param name="Processor">Time that a processor spent on it: frames made, the subject, frames counted.</param>
/// <param name="Wall">Time that went by.</param>
internal sealed record Window(Subject Subject, TrafficKind Kind, int FlowBits, int Round, long Sent, long Received, TimeSpan Processor, TimeSpan Wall)
{
    /// <summary>Millions of frames handled in a second of a processor, whether or not they came back.</summary>
    public double Rate => Sent / Processor.TotalSeconds / 1e6;

    /// <summary>Share of frames that did not come back.</summary>
    public double Lost => Math.Max(0, 1 - ((double)Received / Sent));
}
