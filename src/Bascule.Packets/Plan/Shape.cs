using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Plan;

/// <summary>
/// How a virtual server's table is indexed. It never changes under an id, because a packet that met the new table with the old number of slots would find
/// nobody: with another shape the virtual server gets another id, and the swap of the id is one atomic step. Everything else is changed in place.
/// </summary>
internal readonly record struct Shape(HashKind Hash, int Slots)
{
    /// <summary>The shape of a virtual server as configured.</summary>
    public static Shape Of(Core.Model.VirtualServer configured)
    {
        SchedulerFlags flags = configured.SchedulerFlags;
        HashKind hash = configured.Scheduler switch
        {
            SchedulerKind.MaglevHash => flags.Port ? HashKind.KeyedSourcePort : HashKind.KeyedSource,
            SchedulerKind.SourceHash => flags.Port ? HashKind.SourcePort : HashKind.Source,
            SchedulerKind.DestinationHash => HashKind.Destination,
            _ => HashKind.KeyedSourcePort, // the table that flows fall back to
        };
        return new(hash, HashTable.SizeOf(HashTable.KindOf(configured.Scheduler), flags, configured.RealServers.Count));
    }

    /// <summary>The shape of an entry that stands in the kernel.</summary>
    public static Shape Of(in Xdp.VirtualServer entry) => new(entry.Hash, (int)entry.Slots);
}
