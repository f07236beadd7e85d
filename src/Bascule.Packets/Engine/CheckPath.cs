using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using Microsoft.Extensions.Logging;

namespace Bascule.Packets.Engine;

/// <summary>
/// Sends the checks of real servers behind direct routing and tunnels on the way that clients' packets take, so that a check fails when that way does:
/// their sockets carry a mark, by which a program at tcx egress knows them. See bpf/probe.h. The engine's thread alone.
/// </summary>
internal sealed class CheckPath(StateFolder folder, Datapath datapath, ILogger logger) : IDisposable
{
    private const uint Mark = 0xBA5C0000; // PROBE_MARK in bpf/types.h; the lower 16 bits are the real server's id

    private readonly Dictionary<string, int> _on = []; // interfaces and their indexes
    private BpfObject? _object;
    private string? _said;

    /// <summary>Attaches to the interfaces that have the datapath, whose ingress turns the answers back.</summary>
    public void Follow(IEnumerable<AttachmentStatus> attachments, bool isNeeded)
    {
        foreach (AttachmentStatus attachment in attachments)
        {
            if (attachment.Point is null || !isNeeded)
                _on.Remove(attachment.Interface);
            else if (_on.GetValueOrDefault(attachment.Interface) != attachment.Index && TryAttach(attachment.Interface, attachment.Index))
                _on[attachment.Interface] = attachment.Index;
        }
    }

    /// <summary>Marks the checks whose way leaves by an interface that has the program; the others go straight to the real server.</summary>
    public void Assign(IEnumerable<LiveVirtualServer> virtualServers, Planner planner)
    {
        foreach (LiveRealServer realServer in virtualServers.SelectMany(v => v.RealServers))
        {
            if (realServer.Health is not { } record)
                continue;
            bool isOnPath = planner.Ids.TryGetValue(realServer, out ushort id)
                && planner.Current.ProbeTargets.ContainsKey(id)
                && _on.ContainsValue((int)planner.Current.RealServers[id].Interface);
            record.Mark = isOnPath ? Mark | id : 0;
        }
    }

    public void Dispose() => _object?.Dispose();

    private bool TryAttach(string name, int index)
    {
        try
        {
            _object ??= datapath.Load(DatapathObject.Probe, switches: null);
            using BpfProgram program = _object.Program("bascule_probe");
            if (TryReplace(name, index, program))
                return true;
            using BpfLink? link = BpfLink.TryAttach(program, index, AttachPoint.TcxEgress, out Errno error);
            if (link is null)
            {
                Say($"checks of real servers behind dr and tun on {name} go straight to them, not on the way of clients' packets: tcx was refused there with errno {(int)error} (it needs Linux 6.6)");
                return false;
            }

            link.Pin(folder.Probe(name));
            return true;
        }
        catch (BpfException e)
        {
            Say($"checks of real servers behind dr and tun go straight to them, not on the way of clients' packets: {e.Message}");
            return false;
        }
    }

    private bool TryReplace(string name, int index, BpfProgram program)
    {
        string pin = folder.Probe(name);
        if (!File.Exists(pin))
            return false;
        using (BpfLink link = BpfLink.OpenPinned(pin))
        {
            if (link.InterfaceIndex == index)
            {
                link.Update(program);
                return true;
            }
        }

        StateFolder.DetachLink(pin);
        return false;
    }

    private void Say(string what)
    {
        if (_said != what)
            Log.Note(logger, what);
        _said = what;
    }
}
