using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bascule.Core.Scheduling;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Bench.Packets;

/// <summary>
/// Bascule's datapath, loaded and filled as the daemon would for one virtual server (UDP and TCP, IPv4 and IPv6) with <c>mh</c> over sixteen
/// real servers that are all reached by one method.
/// </summary>
internal sealed class Ours : IDisposable
{
    private const int RealServers = 16;
    private const uint Flows = 1 << 20; // packets.flows, default

    private readonly BpfObject _object;

    public Ours(Method method, bool isTcx, Rig rig)
    {
        bool isNat = method == Method.Nat;
        _object = DatapathObject.Open(isTcx ? DatapathObject.Tcx : DatapathObject.Xdp);
        Set("has_any_port", false);
        Set("has_any_address", false);
        Set("has_nat", isNat);
        Set("has_probes", !isNat);
        Set("remembers_services", true);
        Set("hash_key", BitConverter.ToUInt128(RandomNumberGenerator.GetBytes(16)));
        if (isNat)
        {
            foreach (string map in new[] { "flows4", "flows6", "replies4", "replies6" })
                _object.SetEntries(map, Flows);
            foreach (string map in new[] { "half_open4", "half_open6", "half_open_replies4", "half_open_replies6" })
                _object.SetEntries(map, Flows / 8);
        }

        _object.Load();
        Program = _object.Program("bascule");
        Fill(method, rig);
    }

    public BpfProgram Program { get; }

    public void Dispose()
    {
        Program.Dispose();
        _object.Dispose();
    }

    private void Fill(Method method, Rig rig)
    {
        ushort id = 0;
        foreach ((ProtocolType protocol, bool isIpv4) in new[] { (ProtocolType.Udp, true), (ProtocolType.Tcp, true), (ProtocolType.Udp, false) })
            FillVirtualServer(++id, method, protocol, isIpv4, rig);
        using BpfMap<uint, uint> interfaces = _object.Map<uint, uint>("interfaces");
        interfaces.Set((uint)rig.Director.Index, (uint)rig.Director.Index);
    }

    private void FillVirtualServer(ushort id, Method method, ProtocolType protocol, bool isIpv4, Rig rig)
    {
        IPEndPoint[] addresses = [.. Enumerable.Range(1, RealServers).Select(i => new IPEndPoint(IPAddress.Parse(isIpv4 ? $"10.0.0.{10 + i}" : $"2001:db8:1::{10 + i:x}"), ClientTraffic.Port))];
        ushort FirstRealServer(int i) => (ushort)((id * RealServers) + i);

        using BpfMap<uint, RealServer> realServers = _object.Map<uint, RealServer>("real_servers");
        for (int i = 0; i < RealServers; i++)
            realServers.Set(FirstRealServer(i), RealServer(method, id, addresses[i].Address, rig));

        int size = HashTable.SizeFor(RealServers);
        int[] homes = HashTable.Place(TableKind.Maglev, [.. addresses.Select(address => new TableMember(address, 1))], size);
        using BpfMap<uint, SlotPair> table = SlotPair.Table([.. homes.Select(home => new Slot { Current = FirstRealServer(home), Previous = FirstRealServer(home) })]);
        using BpfMap<uint, uint> tables = _object.Map<uint, uint>("tables");
        tables.SetInner(id, table);

        using BpfMap<uint, VirtualServer> virtualServers = _object.Map<uint, VirtualServer>("virtual_servers");
        virtualServers.Set(id, new()
        {
            Flags = method == Method.Nat ? VirtualServerFlag.Stateful : VirtualServerFlag.None,
            Scheduler = Bascule.Packets.Xdp.Scheduler.Table,
            Hash = HashKind.KeyedSourcePort,
            Slots = (uint)size,
            Members = RealServers,
            TcpTimeout = 900,
            TcpFinTimeout = 120,
            UdpTimeout = 300,
        });
        if (isIpv4)
        {
            using BpfMap<Service4, uint> services = _object.Map<Service4, uint>("services4");
            services.Set(new() { Address = Wire32.Of(IPAddress.Parse(ClientTraffic.VirtualAddress4)), Port = ClientTraffic.Port, Protocol = (byte)protocol }, id);
        }
        else
        {
            using BpfMap<Service6, uint> services = _object.Map<Service6, uint>("services6");
            services.Set(new() { Address = Address.Of(IPAddress.Parse(ClientTraffic.VirtualAddress6)), Port = ClientTraffic.Port, Protocol = (byte)protocol }, id);
        }
    }

    private static RealServer RealServer(Method method, ushort virtualServer, IPAddress address, Rig rig)
    {
        bool isIpv4 = address.AddressFamily == AddressFamily.InterNetwork;
        bool isTunnel = method is Method.Ipip or Method.Gue or Method.Gre;
        return new()
        {
            Method = method,
            Family = isIpv4 ? (byte)4 : (byte)6,
            Port = method == Method.Gue ? (ushort)6080 : (ushort)0,
            Flags = RealServerFlag.Up | RealServerFlag.Valid | RealServerFlag.Neighbour,
            Interface = (uint)rig.Director.Index,
            Mtu = 1500,
            MacDestination = Mac.Of(rig.Load.Mac.GetAddressBytes()),
            MacSource = Mac.Of(rig.Director.Mac.GetAddressBytes()),
            VirtualServer = virtualServer,
            Weight = 1,
            Address = Address.Of(address),
            OuterSource = isTunnel ? Address.Of(IPAddress.Parse(isIpv4 ? "172.16.0.0" : "2001:db8:2::")) : default,
            OuterPrefix = isTunnel ? (byte)(isIpv4 ? 16 : 64) : (byte)0,
        };
    }

    private void Set<T>(string constant, T value)
        where T : unmanaged => _object.SetConstant(constant, value);
}
