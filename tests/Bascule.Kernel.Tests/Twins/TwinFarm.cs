using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Packets.Xdp;
using Bascule.Testing;
using Bascule.Testing.Packets;
using CoreScheduler = Bascule.Core.Scheduling.Scheduler;
using KernelRealServer = Bascule.Packets.Xdp.RealServer;
using KernelScheduler = Bascule.Packets.Xdp.Scheduler;
using KernelVirtualServer = Bascule.Packets.Xdp.VirtualServer;

namespace Bascule.Kernel.Tests.Twins;

/// <summary>A connection that both worlds have: between a client and the address it asked for, to a real server by its index.</summary>
internal sealed record TwinConnection(uint Client, ushort ClientPort, uint Asked, int RealServer);

/// <summary>
/// One virtual server in two worlds: in the datapath's maps, where it answers packets; and in Core, which is told what the datapath counts. It
/// answers for every address, so that what clients ask for can vary.
/// </summary>
internal sealed class TwinFarm
{
    public const int MostRealServers = 8;

    private const ushort Port = 1000;

    private static readonly TcpCheck Check = new()
    {
        Interval = TimeSpan.FromSeconds(1),
        Timeout = TimeSpan.FromSeconds(1),
        Rise = 1,
        Fall = 1,
        Port = null,
    };

    private readonly TwinWorld _world;
    private readonly SchedulerKind _kind;
    private readonly SchedulerFlags _flags;
    private readonly CoreScheduler _core;
    private readonly int[] _homes;
    private readonly SourcePersistence? _persistence;
    private readonly ClientSessions? _sessions;

    /// <summary>Takes the place of the farm before it.</summary>
    public TwinFarm(TwinWorld world, SchedulerKind kind, SchedulerFlags flags, FlowHashKey key, SourcePersistence? persistence, params int[] weights)
    {
        (_world, _kind, _flags, _persistence) = (world, kind, flags, persistence);
        RealServers = [.. weights.Select(Build)];
        _core = CoreScheduler.Create(kind, flags, RealServers, weights, key, new ManualClock());
        _sessions = persistence is null ? null : new(new SessionTable(new ManualClock()), persistence, RealServers);
        TableKind table = HashTable.KindOf(kind);
        _homes = HashTable.Place(table, HashTable.MembersOf(table, RealServers, weights).AsSpan(), HashTable.SizeOf(table, flags, weights.Length));
        world.Forget(MostRealServers);
        world.SetMembers(weights.Length);
        world.Datapath.Set(TwinWorld.Id, Settings(), "0.0.0.0", Port);
        for (int index = 0; index < weights.Length; index++)
            SetHealth(index, isUp: true);
    }

    public ImmutableArray<LiveRealServer> RealServers { get; }

    /// <summary>By hash alone: nothing is recorded or counted.</summary>
    private bool IsStateless => HasTable && _persistence is null;

    private bool HasTable => _kind is SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash;

    public void SetWeight(int index, int weight)
    {
        RealServers[index].ConfiguredWeight = weight;
        Publish(index);
    }

    public void SetHealth(int index, bool isUp)
    {
        RealServers[index].Health!.Apply(new(isUp, "by the test", TimeSpan.Zero), DateTimeOffset.UnixEpoch);
        Publish(index);
    }

    /// <summary>What Core chooses now: an index, or <see cref="CoreScheduler.None"/>.</summary>
    public int PickInCore(uint client, ushort clientPort, uint asked)
    {
        ClientAddress from = new ClientAddress(0, client, clientPort, IsIpv4: true).To(new(0, asked, 0, IsIpv4: true));
        return _sessions?.Pick(from, default, _core, new Random(1), out _) ?? _core.Pick(from, default, new Random(1));
    }

    /// <summary>What the datapath does with a packet: an index, or <see cref="CoreScheduler.None"/> when it is dropped.</summary>
    public int Send(uint client, ushort clientPort, uint asked, TcpFlag flags)
    {
        Sent sent = _world.Datapath.Send(PacketBuilder.Ethernet().Ipv4(Text(client), Text(asked)).Tcp(clientPort, Port, flags));
        if (sent.Verdict == Verdict.Drop)
            return CoreScheduler.None;
        Assert.Equal(Verdict.Transmit, sent.Verdict);
        return sent.Frame[5] - IdOf(0); // the last byte of its MAC address
    }

    /// <summary>The client's second packet: both worlds count the connection as active.</summary>
    public void Establish(TwinConnection connection)
    {
        if (IsStateless)
            return;
        Assert.Equal(connection.RealServer, Send(connection.Client, connection.ClientPort, connection.Asked, TcpFlag.Ack));
        RealServers[connection.RealServer].Opened();
        RealServers[connection.RealServer].BeginActive();
    }

    /// <summary>The client's FIN: the connection is inactive from now on.</summary>
    /// <returns>Whether anything of it is left to be forgotten.</returns>
    public bool Finish(TwinConnection connection)
    {
        if (IsStateless)
            return false;
        Assert.Equal(connection.RealServer, Send(connection.Client, connection.ClientPort, connection.Asked, TcpFlag.Fin | TcpFlag.Ack));
        RealServers[connection.RealServer].EndActive();
        return true;
    }

    /// <summary>What remained of the connection is gone: its tuple begins anew.</summary>
    public void Forget(TwinConnection connection) => RealServers[connection.RealServer].Closed();

    /// <summary>Both worlds have counted the same.</summary>
    public void AssertSameLoads()
    {
        for (int index = 0; index < RealServers.Length; index++)
        {
            Assert.True(_world.Datapath.Map<uint, Load>("loads").TryGet(IdOf(index), out Load load));
            Assert.Equal((RealServers[index].ActiveConnections, RealServers[index].InactiveConnections, 0), ((int)load.Active, (int)load.Inactive, load.HalfOpen));
        }
    }

    /// <summary>Sets what the datapath counts.</summary>
    public void SetLoad(int index, uint active) => _world.Datapath.Map<uint, Load>("loads").Set(IdOf(index), new() { Active = active });

    private static ushort IdOf(int index) => (ushort)(index + 1);

    private KernelVirtualServer Settings() => new()
    {
        Scheduler = KernelKind(_kind),
        Hash = _kind switch
        {
            SchedulerKind.SourceHash => _flags.Port ? HashKind.SourcePort : HashKind.Source,
            SchedulerKind.DestinationHash => HashKind.Destination,
            _ => _flags.Port ? HashKind.KeyedSourcePort : HashKind.KeyedSource,
        },
        Flags = (HasTable && _persistence is null ? VirtualServerFlag.None : VirtualServerFlag.Stateful)
            | (_persistence is null ? VirtualServerFlag.None : VirtualServerFlag.Persistent)
            | (_persistence is { ExpireQuiescent: true } ? VirtualServerFlag.ExpireQuiescent : VirtualServerFlag.None),
        Persistence = (uint)(_persistence?.Timeout.TotalSeconds ?? 0),
        Mask4 = (byte)(_persistence?.Mask4 ?? 0),
        Mask6 = (byte)(_persistence?.Mask6 ?? 0),
        Slots = (uint)_homes.Length,
        Members = (uint)RealServers.Length,
        TcpTimeout = 900,
        TcpFinTimeout = 120,
        UdpTimeout = 300,
    };

    private void Publish(int index)
    {
        LiveRealServer realServer = RealServers[index];
        _world.Datapath.Set(IdOf(index), new KernelRealServer
        {
            Method = Method.Dr,
            Family = 4,
            Flags = RealServerFlag.Valid | RealServerFlag.Neighbour | (realServer.IsUp ? RealServerFlag.Up : 0),
            Interface = (uint)Datapath.LoopbackIndex,
            Mtu = 1500,
            MacDestination = Mac.Parse($"02:00:00:00:01:{IdOf(index):x2}"),
            MacSource = Mac.Parse(PacketBuilder.DirectorMac),
            VirtualServer = TwinWorld.Id,
            Weight = (uint)realServer.Weight,
            Address = Address.Of(realServer.Address.Address),
        });
        if (!HasTable)
            return;
        int[] serving = HashTable.Resolve(_homes, [.. RealServers.Select(r => r.TakesConnections)], _flags.Fallback);
        _world.SetTable([.. serving.Select(member => member == HashTable.None ? (ushort)0 : IdOf(member)).Select(id => new Slot { Current = id, Previous = id })]);
    }

    private LiveRealServer Build(int weight, int index)
    {
        IPEndPoint address = new(new IPAddress([10, 1, 0, (byte)(index + 1)]), Port);
        return new(new(address, weight), new HealthRecord(Check, address, DateTimeOffset.UnixEpoch), workers: 1);
    }

    private static string Text(uint address) => new IPAddress(BinaryPrimitives.ReverseEndianness(address)).ToString();

    private static KernelScheduler KernelKind(SchedulerKind kind) => kind switch
    {
        SchedulerKind.RoundRobin => KernelScheduler.Rr,
        SchedulerKind.WeightedRoundRobin => KernelScheduler.Wrr,
        SchedulerKind.LeastConnection => KernelScheduler.Lc,
        SchedulerKind.WeightedLeastConnection => KernelScheduler.Wlc,
        SchedulerKind.ShortestExpectedDelay => KernelScheduler.Sed,
        SchedulerKind.NeverQueue => KernelScheduler.Nq,
        SchedulerKind.Random => KernelScheduler.Random,
        SchedulerKind.PowerOfTwoChoices => KernelScheduler.Twos,
        SchedulerKind.FailOver => KernelScheduler.Fo,
        SchedulerKind.Overflow => KernelScheduler.Ovf,
        SchedulerKind.LocalityLeastConnection => KernelScheduler.Lblc,
        SchedulerKind.LocalityLeastConnectionReplicated => KernelScheduler.Lblcr,
        SchedulerKind.MaglevHash or SchedulerKind.SourceHash or SchedulerKind.DestinationHash => KernelScheduler.Table,
        SchedulerKind.LeastTime or SchedulerKind.RequestHash => throw new ArgumentOutOfRangeException(nameof(kind), kind, "on the proxy alone"),
    };
}
