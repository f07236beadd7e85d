using System.Runtime.InteropServices;
using Bascule.Core.Api;
using Bascule.Core.Frames;
using Bascule.Core.Model;
using Bascule.Linux.Bpf;
using Explanation = Bascule.Core.Api.Explanation;

namespace Bascule.Packets.Engine;

/// <summary>
/// Runs the datapath's own program on a packet of ours and says what it did: the same object, loaded a second time over the same maps with its
/// switch <c>explaining</c> on, so that it changes and counts nothing. The engine's thread alone.
/// </summary>
internal sealed class Explainer : IDisposable
{
    private const int Room = 4096; // for the frame as it leaves

    private readonly DatapathEngine _engine;
    private readonly BpfObject _object;
    private readonly BpfProgram _program;

    public Explainer(DatapathEngine engine)
    {
        _engine = engine;
        _object = engine.LoadExplaining();
        _program = _object.Program("bascule");
    }

    /// <summary>What becomes of the packet if it comes in on the first interface of the datapath.</summary>
    /// <exception cref="BpfException">There is no interface.</exception>
    public Explanation Explain(PacketText packet)
    {
        AttachmentStatus on = _engine.Attachments.FirstOrDefault(a => a.Index > 0)
            ?? throw new BpfException("none of packets.interfaces is there, so no packet can come in");
        byte[] output = new byte[Room];
        // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
        byte[] frame = FrameBuilder.Build(packet, _engine.MacOf(on.Index), [2, 0, 0, 0, 0, 1]);
        Span<uint> context = [0, (uint)frame.Length, 0, (uint)on.Index, 0, 0];
        TestRun run = _program.Run(frame, output, MemoryMarshal.AsBytes(context));
        // It ran on one processor, and wrote nothing on the others since they were wiped.
        Xdp.Explanation told = Array.Find(_engine.Maps.Explanations.Get(0), each => each != default);
        _engine.Maps.Explanations.Set(0, default);
        return Say(packet, told, run, output[..run.Length], on);
    }

    public void Dispose()
    {
        _program.Dispose();
        _object.Dispose();
    }

    private Explanation Say(PacketText packet, Xdp.Explanation told, TestRun run, byte[] left, AttachmentStatus on)
    {
        (LiveVirtualServer? virtualServer, LiveRealServer? realServer) = Find(told);
        PacketVerdict verdict = VerdictOf(run.Verdict, told);
        bool leaves = verdict is PacketVerdict.Sent or PacketVerdict.Answered;
        return new()
        {
            Packet = packet.ToString(),
            VirtualServer = virtualServer?.Configured.Name,
            RealServer = realServer is null ? null : StatusReader.AddressText(realServer.Address),
            Forwarding = virtualServer is null || realServer is null ? null : StatusReader.ForwardingText(ForwardingOf(virtualServer, realServer)),
            Scheduler = virtualServer is null ? null : StatusReader.ShortName(virtualServer.Configured.Scheduler),
            Reason = told.Reason,
            Hash = virtualServer is null ? null : told.Hash,
            Slot = told.Reason is ChoiceReason.Table or ChoiceReason.TableCurrent or ChoiceReason.TablePrevious or ChoiceReason.Fallback ? (int)told.Slot : null,
            Verdict = verdict,
            Drop = told.Drop,
            Interface = leaves ? InterfaceOf(run.Verdict, told, on) : null,
            Frame = leaves ? left : null,
        };
    }

    private (LiveVirtualServer?, LiveRealServer?) Find(Xdp.Explanation told)
    {
        LiveVirtualServer? virtualServer = _engine.Snapshot.OnDatapath.FirstOrDefault(v => told.VirtualServer != 0 && _engine.VirtualServerId(v) == told.VirtualServer);
        LiveRealServer? realServer = virtualServer?.RealServers.Append(virtualServer.SorryServer).OfType<LiveRealServer>()
            .FirstOrDefault(r => told.RealServer != 0 && _engine.Planner.Ids.TryGetValue(r, out ushort id) && id == told.RealServer);
        return (virtualServer, realServer);
    }

    private string? InterfaceOf(uint verdict, Xdp.Explanation told, AttachmentStatus on)
    {
        const uint Redirect = 4; // enum xdp_action
        return verdict == Redirect && _engine.Planner.Current.RealServers.TryGetValue(told.RealServer, out Xdp.RealServer entry)
            ? _engine.InterfaceName((int)entry.Interface)
            : on.Interface;
    }

    private static PacketVerdict VerdictOf(uint verdict, Xdp.Explanation told)
    {
        const uint Pass = 2, Transmit = 3, Redirect = 4; // enum xdp_action
        return verdict switch
        {
            Pass => PacketVerdict.ToStack,
            // An error to the client is sent although the packet itself is dropped; an echo is answered although nobody was chosen.
            Transmit or Redirect when told.Drop != DropReason.None || told.RealServer == 0 => PacketVerdict.Answered,
            Transmit or Redirect => PacketVerdict.Sent,
            _ => PacketVerdict.Dropped,
        };
    }

    private static Forwarding ForwardingOf(LiveVirtualServer virtualServer, LiveRealServer realServer)
    {
        int index = virtualServer.RealServers.IndexOf(realServer);
        return index < 0 ? virtualServer.Configured.Forwarding : virtualServer.Configured.RealServers[index].Forwarding;
    }
}
