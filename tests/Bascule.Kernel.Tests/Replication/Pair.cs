using System.Net;
using System.Net.Sockets;
using Bascule.Kernel.Tests.Flows;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Replication;

/// <summary>Two directors with the same two real servers, to which they have given each other's numbers. One carries, the other follows.</summary>
internal sealed class Pair : IDisposable
{
    private const ushort FirstPort = 40000, LastPort = 40999;

    public Pair(VirtualServer virtualServer, Method method, bool isIpv6 = false, bool isFullNat = false, ProtocolType protocol = ProtocolType.Tcp,
        bool knowsLink = true)
    {
        Active = new(Of(virtualServer, method, isIpv6, isFullNat, protocol));
        Farm turned = Of(virtualServer, method, isIpv6, isFullNat, protocol);
        Swap(turned);
        Backup = new(turned, knowsLink);
    }

    public Director Active { get; }

    public Director Backup { get; }

    public Farm A => Active.Farm;

    public Farm B => Backup.Farm;

    public static Pair Nat(bool isIpv6 = false, bool isFullNat = false, bool knowsLink = true) =>
        new(Farm.With(Scheduler.Rr), Method.Nat, isIpv6, isFullNat, knowsLink: knowsLink);

    /// <summary>A connection at the active one, both ways.</summary>
    public void Connect(ushort port, int realServer)
    {
        Sent syn = A.Tcp(port, TcpFlag.Syn);
        Assert.Equal(realServer, Farm.Chosen(syn));
        FromRealServer(A, syn, TcpFlag.Syn | TcpFlag.Ack);
        A.Tcp(port, TcpFlag.Ack);
    }

    /// <summary>The client sends.</summary>
    public static Sent FromClient(Farm farm, ushort port, TcpFlag flags = TcpFlag.Ack, string? data = null)
    {
        PacketBuilder packet = farm.FromClient().Tcp(port, Farm.Port, flags);
        return farm.Datapath.Send(data is null ? packet : packet.Payload(data));
    }

    /// <summary>The real server answers what it was sent.</summary>
    public static Sent FromRealServer(Farm farm, Sent asked, TcpFlag flags = TcpFlag.Ack, string? data = null)
    {
        (string source, ushort sourcePort, string destination, ushort destinationPort) = Ends(asked.Frame, farm.IsIpv6);
        PacketBuilder packet = farm.Ip(PacketBuilder.Ethernet("02:00:00:00:01:01", PacketBuilder.DirectorMac), destination, source)
            .Tcp(destinationPort, sourcePort, flags);
        return farm.Datapath.Send(data is null ? packet : packet.Payload(data));
    }

    public void Dispose()
    {
        Active.Dispose();
        Backup.Dispose();
    }

    private static Farm Of(VirtualServer virtualServer, Method method, bool isIpv6, bool isFullNat, ProtocolType protocol)
    {
        Farm farm = new(virtualServer, method, isIpv6: isIpv6, protocol: protocol);
        for (ushort id = 1; isFullNat && id <= 2; id++)
        {
            farm.Change(id, server => server with
            {
                Flags = server.Flags | RealServerFlag.FullNat,
                OuterSource = Packets.Xdp.Address.Of(IPAddress.Parse(isIpv6 ? "2001:db8:1::1" : "10.0.0.1")),
                PoolFirst = FirstPort,
                PoolLast = LastPort,
            });
        }

        return farm;
    }

    private static void Swap(Farm farm)
    {
        RealServer first = farm.Find<uint, RealServer>("real_servers", 1)!.Value, second = farm.Find<uint, RealServer>("real_servers", 2)!.Value;
        farm.Datapath.Set(1, second);
        farm.Datapath.Set(2, first);
    }

    private static (string Source, ushort SourcePort, string Destination, ushort DestinationPort) Ends(byte[] frame, bool isIpv6)
    {
        int network = 14, addresses = network + (isIpv6 ? 8 : 12), length = isIpv6 ? 16 : 4, transport = network + (isIpv6 ? 40 : 20);
        return (
            new IPAddress(frame[addresses..(addresses + length)]).ToString(), (ushort)((frame[transport] << 8) | frame[transport + 1]),
            new IPAddress(frame[(addresses + length)..(addresses + (2 * length))]).ToString(), (ushort)((frame[transport + 2] << 8) | frame[transport + 3]));
    }
}
