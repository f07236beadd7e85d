using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Engine;

/// <summary>One interface with the datapath on it, or the reasons why not.</summary>
/// <param name="Interface">Its name.</param>
/// <param name="Index">Its number in the kernel; 0: there is none of that name.</param>
/// <param name="Point">Where it is attached; null: nowhere.</param>
/// <param name="Steps">What was tried, in order, each with what came of it: sentences.</param>
/// <param name="IsAdopted">An earlier daemon attached it; the program was replaced without a gap.</param>
public sealed record AttachmentStatus(string Interface, int Index, AttachPoint? Point, IReadOnlyList<string> Steps, bool IsAdopted)
{
    /// <summary>Why there, or why not: a sentence without a full stop.</summary>
    public string Why => (IsAdopted, Point, Steps.Count) switch
    {
        (true, _, _) => "an earlier daemon attached it there, only the program was replaced",
        (_, null, _) => string.Join("; ", Steps),
        (_, _, 0) => "the first place asked for, and the interface takes it",
        _ => string.Join("; ", Steps),
    };

    /// <summary>As an operator calls it.</summary>
    public static string NameOf(AttachPoint point) => point switch
    {
        AttachPoint.XdpNative => "native XDP",
        AttachPoint.XdpGeneric => "generic XDP",
        AttachPoint.TcxIngress => "tcx",
        AttachPoint.TcxEgress => "tcx egress",
    };
}

/// <summary>Puts the datapath on interfaces: native XDP, else generic, else tcx, as the configuration allows; never in the place of another program.</summary>
/// <param name="program">The loaded program for XDP or tcx, whichever a point needs.</param>
internal sealed class Attacher(StateFolder folder, AttachMode mode, Func<AttachPoint, BpfProgram> program)
{
    /// <summary>Attaches, or replaces the program of an earlier daemon.</summary>
    public AttachmentStatus Attach(string name, int index)
    {
        if (Adopt(name, index) is { } adopted)
            return new(name, index, adopted, [], IsAdopted: true);

        List<string> steps = [];
        foreach (AttachPoint point in Allowed())
        {
            if (TryAttach(name, index, point, out string? why))
                return new(name, index, point, steps, IsAdopted: false);
            steps.Add(why!);
        }

        return new(name, index, null, steps, IsAdopted: false);
    }

    /// <summary>Replaces the program where it is attached already.</summary>
    public void Replace(string name, AttachPoint point)
    {
        using BpfLink link = BpfLink.OpenPinned(folder.Link(name, point));
        link.Update(program(point));
    }

    private AttachPoint? Adopt(string name, int index)
    {
        AttachPoint? found = null;
        foreach ((string linked, AttachPoint point) in folder.Attached.Where(link => link.Interface == name))
        {
            if (found is null && Allowed().Contains(point) && IsOn(name, index, point))
            {
                Replace(linked, point);
                found = point;
            }
            else
            {
                // The interface was made anew under the same name, or the file now says another place.
                StateFolder.DetachLink(folder.Link(name, point));
            }
        }

        return found;
    }

    private bool IsOn(string name, int index, AttachPoint point)
    {
        using BpfLink link = BpfLink.OpenPinned(folder.Link(name, point));
        return link.InterfaceIndex == index;
    }

    private AttachPoint[] Allowed() => mode switch
    {
        AttachMode.Auto => [AttachPoint.XdpNative, AttachPoint.XdpGeneric, AttachPoint.TcxIngress],
        AttachMode.Native => [AttachPoint.XdpNative],
        AttachMode.Generic => [AttachPoint.XdpGeneric],
        AttachMode.Tcx => [AttachPoint.TcxIngress],
    };

    private bool TryAttach(string name, int index, AttachPoint point, out string? why)
    {
        why = null;
        // Generic XDP beside another's native program would be refused as well: say whose it is rather than "busy" twice.
        if (point is AttachPoint.XdpNative or AttachPoint.XdpGeneric && BpfLink.XdpProgramOn(index) is var other and not 0)
        {
            why = $"{AttachmentStatus.NameOf(point)}: {name} carries the XDP program of somebody else ({BpfProgram.Describe(other)}), which stays";
            return false;
        }

        try
        {
            using BpfLink? link = BpfLink.TryAttach(program(point), index, point, out Errno error);
            if (link is null)
            {
                why = $"{AttachmentStatus.NameOf(point)}: {Because(error, name)}";
                return false;
            }

            link.Pin(folder.Link(name, point));
            return true;
        }
        catch (BpfException e)
        {
            why = $"{AttachmentStatus.NameOf(point)}: {e.Message}";
            return false;
        }
    }

    private static string Because(Errno error, string name) => error switch
    {
        Errno.NotSupported => $"the driver of {name} has none",
        Errno.Busy or Errno.Exists => $"another program has the place on {name}",
        Errno.Invalid => $"the kernel or {name} does not take it (errno 22; tcx needs Linux 6.6, native XDP a driver and an MTU that allow it)",
        Errno.NotPermitted => "only root, or who has CAP_BPF and CAP_NET_ADMIN, may attach it",
        Errno.NoDevice => $"there is no interface {name}",
        _ => $"refused with errno {(int)error}",
    };
}
