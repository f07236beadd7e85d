using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Packets.Xdp;
using Scheduler = Bascule.Packets.Xdp.Scheduler;

namespace Bascule.Packets.Plan;

/// <summary>What of a virtual server is never changed under its id: with another shape it gets another id, and the swap of the id is one atomic step.</summary>
internal readonly record struct Shape(Scheduler Scheduler, HashKind Hash, int Slots, VirtualServerFlag Flags)
{
    /// <summary>The shape of a virtual server as configured.</summary>
    public static Shape Of(Core.Model.VirtualServer configured)
    {
        SchedulerFlags flags = configured.SchedulerFlags;
        Scheduler scheduler = SchedulerOf(configured.Scheduler);
        HashKind hash = configured.Scheduler switch
        {
            SchedulerKind.MaglevHash => flags.Port ? HashKind.KeyedSourcePort : HashKind.KeyedSource,
            SchedulerKind.SourceHash => flags.Port ? HashKind.SourcePort : HashKind.Source,
            SchedulerKind.DestinationHash => HashKind.Destination,
            _ => HashKind.KeyedSourcePort, // the table that flows fall back to
        };
        int slots = HashTable.SizeOf(HashTable.KindOf(configured.Scheduler), flags, configured.RealServers.Count);
        return new(scheduler, hash, slots, FlagsOf(configured, scheduler));
    }

    /// <summary>The shape of an entry that stands in the kernel.</summary>
    public static Shape Of(in Xdp.VirtualServer entry) => new(entry.Scheduler, entry.Hash, (int)entry.Slots, entry.Flags & OfShape);

    private const VirtualServerFlag OfShape = VirtualServerFlag.OnePacket | VirtualServerFlag.Persistent | VirtualServerFlag.Stateful;

    private static VirtualServerFlag FlagsOf(Core.Model.VirtualServer configured, Scheduler scheduler)
    {
        bool rewrites = configured.Forwarding is NatForwarding || configured.RealServers.Any(r => r.Forwarding is NatForwarding);
        bool isStateful = scheduler != Scheduler.Table || configured.Persistence is not null || rewrites;
        return (configured.Packets.OnePacket ? VirtualServerFlag.OnePacket : 0)
            | (configured.Persistence is not null ? VirtualServerFlag.Persistent : 0)
            | (isStateful ? VirtualServerFlag.Stateful : 0);
    }

    private static Scheduler SchedulerOf(SchedulerKind kind) => kind switch
    {
        SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash => Scheduler.Table,
        SchedulerKind.RoundRobin => Scheduler.Rr,
        SchedulerKind.WeightedRoundRobin => Scheduler.Wrr,
        SchedulerKind.LeastConnection => Scheduler.Lc,
        SchedulerKind.WeightedLeastConnection => Scheduler.Wlc,
        SchedulerKind.ShortestExpectedDelay => Scheduler.Sed,
        SchedulerKind.NeverQueue => Scheduler.Nq,
        SchedulerKind.FailOver => Scheduler.Fo,
        SchedulerKind.Overflow => Scheduler.Ovf,
        SchedulerKind.LocalityLeastConnection => Scheduler.Lblc,
        SchedulerKind.LocalityLeastConnectionReplicated => Scheduler.Lblcr,
        SchedulerKind.PowerOfTwoChoices => Scheduler.Twos,
        SchedulerKind.Random => Scheduler.Random,
    };
}
