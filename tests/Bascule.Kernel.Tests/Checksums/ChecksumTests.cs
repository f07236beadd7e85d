using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Checksums;

/// <summary>A million random packets through every rewrite: each checksum that leaves is that of all the bytes it covers.</summary>
public sealed class ChecksumTests
{
    private const int Packets = 1_000_000, Room = 4096;
    private const ushort Nat = 80, FullNat = 81, Gue = 82, Gue6 = 83, Small = 84;
    private const int NarrowMtu = 1300, LargePayload = 1340;

    private static readonly byte[] Virtual4 = Bytes("192.0.2.10"), Virtual6 = Bytes("2001:db8:1::10"), Router4 = Bytes("203.0.113.1"), Router6 = Bytes("2001:db8:99::1");

    private static readonly Kind[] Usual = [Kind.Nat, Kind.FullNat, Kind.Gue4, Kind.Gue6, Kind.Echo];

    [KernelFact]
    public void Every_checksum_that_leaves_is_right()
    {
        using Datapath datapath = Load();
        Random random = new(11);
        RandomPackets packets = new(random);
        Span<byte> frame = new byte[Room], output = new byte[Room], back = new byte[Room], client = stackalloc byte[16];
        int[] left = new int[1 + (int)Kind.Echo];

        for (int i = 0; i < Packets; i++)
        {
            bool isIpv4 = random.Next(2) == 0;
            Span<byte> from = isIpv4 ? client[..4] : client;
            ReadOnlySpan<byte> to = isIpv4 ? Virtual4 : Virtual6;
            random.NextBytes(from);
            from[0] = isIpv4 ? (byte)random.Next(1, 127) : (byte)0x20;
            Kind kind = random.Next(50) == 0 ? Kind.TooBig : Usual[random.Next(Usual.Length)]; // of too-big, so many are told a second and no more
            byte protocol = random.Next(2) == 0 ? RandomPackets.Tcp : RandomPackets.Udp;
            int payload = kind == Kind.TooBig ? LargePayload + random.Next(60) : random.Next(8) == 0 ? random.Next(1200) : random.Next(64);
            int length = kind == Kind.Echo
                ? packets.WriteEcho(frame, from, to, payload)
                : packets.Write(frame, from, to, protocol, (ushort)random.Next(7000, 65536), PortOf(kind), RandomPackets.Syn, random.Next(4) != 0, payload);

            int outLength = Send(datapath, frame[..length], output, i, kind);
            if (outLength == 0)
                continue;
            left[(int)kind]++;
            if (kind is not (Kind.Nat or Kind.FullNat))
                continue;
            i += 3;
            Answer(datapath, packets, random, frame[..length], output[..outLength], back, protocol, i);
        }

        Assert.All(left, count => Assert.InRange(count, 500, Packets));
    }

    // The real server answers what it got, and routers on both sides complain.
    private static void Answer(Datapath datapath, RandomPackets packets, Random random, ReadOnlySpan<byte> sent, ReadOnlySpan<byte> got, Span<byte> back, byte protocol, int number)
    {
        bool isIpv4 = sent[12] == 0x08;
        int addresses = 14 + (isIpv4 ? 12 : 8), size = isIpv4 ? 4 : 16, ports = 14 + (isIpv4 ? 20 : 40);
        ReadOnlySpan<byte> client = sent.Slice(addresses, size), virtualAddress = sent.Slice(addresses + size, size);
        ReadOnlySpan<byte> peer = got.Slice(addresses, size), realServer = got.Slice(addresses + size, size), router = isIpv4 ? Router4 : Router6;
        ushort peerPort = BinaryPrimitives.ReadUInt16BigEndian(got[ports..]), realPort = BinaryPrimitives.ReadUInt16BigEndian(got[(ports + 2)..]);
        Span<byte> output = stackalloc byte[2048];

        int length = packets.Write(back, realServer, peer, protocol, realPort, peerPort, RandomPackets.SynAck, random.Next(4) != 0, random.Next(100));
        int answered = Send(datapath, back[..length], output, number, Kind.Answer);
        if (!output.Slice(addresses, size).SequenceEqual(virtualAddress) || !output.Slice(addresses + size, size).SequenceEqual(client) || !output.Slice(ports, 2).SequenceEqual(sent.Slice(ports + 2, 2)) || !output.Slice(ports + 2, 2).SequenceEqual(sent.Slice(ports, 2)))
            Assert.Fail($"packet {number}: the answer to {PacketText.Describe(sent)} left as {PacketText.Describe(output[..answered])}");

        // About the answer, from the client's side; then about the request, from the real server's.
        ReadOnlySpan<byte> answer = output[14..answered];
        length = packets.WriteError(back, router, virtualAddress, answer[..Quoted(random, answer.Length, ports - 14)]);
        Span<byte> last = stackalloc byte[2048];
        Send(datapath, back[..length], last, number, Kind.Error);
        ReadOnlySpan<byte> request = got[14..];
        length = packets.WriteError(back, router, peer, request[..Quoted(random, request.Length, ports - 14)]);
        Send(datapath, back[..length], last, number, Kind.Error);
    }

    // The whole packet, or as little as is allowed.
    private static int Quoted(Random random, int length, int header) => random.Next(2) == 0 ? Math.Min(length, 520) : header + 8;

    /// <returns>The length of what left; 0: it was dropped for want of a port, the one reason that may be.</returns>
    private static int Send(Datapath datapath, ReadOnlySpan<byte> frame, Span<byte> output, int number, Kind kind)
    {
        (Verdict verdict, int length) = datapath.Run(frame, output);
        if (verdict == Verdict.Drop && kind is Kind.FullNat or Kind.TooBig)
            return 0; // no port left; told often enough
        if (verdict != Verdict.Transmit)
            Assert.Fail($"packet {number}, {kind}: {verdict} of {PacketText.Describe(frame)}");
        if (FullRecomputation.WhatIsWrong(output[..length]) is { } wrong)
            Assert.Fail($"packet {number}, {kind}: {wrong} checksum is wrong\nin  {PacketText.Describe(frame)}\nout {PacketText.Describe(output[..length])}\n{Convert.ToHexString(output[..length])}");
        return length;
    }

    private static ushort PortOf(Kind kind) => kind switch
    {
        Kind.Nat => Nat,
        Kind.FullNat => FullNat,
        Kind.Gue4 or Kind.Echo => Gue,
        Kind.Gue6 => Gue6,
        Kind.TooBig => Small,
        Kind.Answer or Kind.Error => throw new InvalidOperationException("those come in return"),
    };

    private static Datapath Load()
    {
        Datapath datapath = Datapath.Load(opened =>
        {
            foreach (string table in new[] { "flows4", "flows6", "replies4", "replies6" })
                opened.SetEntries(table, 1 << 20);
            foreach (string table in new[] { "half_open4", "half_open6", "half_open_replies4", "half_open_replies6" })
                opened.SetEntries(table, 8192);
        });
        ushort id = 1;
        foreach ((ushort port, Method method, bool? outerIs4, RealServerFlag flags, ushort mtu) in new[]
        {
            (Nat, Method.Nat, (bool?)null, RealServerFlag.None, (ushort)1500), (FullNat, Method.Nat, null, RealServerFlag.FullNat, (ushort)1500),
            (Gue, Method.Gue, true, RealServerFlag.None, (ushort)1500), (Gue6, Method.Gue, false, RealServerFlag.None, (ushort)1500), (Small, Method.Dr, null, RealServerFlag.None, (ushort)NarrowMtu),
        })
        {
            foreach (bool isIpv4 in new[] { true, false })
            {
                RealServer realServer = Scene.By(method, outerIs4 ?? isIpv4 ? $"10.0.0.{100 + id}" : $"fd00::{100 + id:x}", mtu) with { VirtualServer = id, PoolFirst = 7000, PoolLast = 65535 };
                datapath.Set(id, realServer with { Flags = realServer.Flags | flags, Port = method == Method.Nat ? (ushort)8080 : (ushort)0 });
                VirtualServer virtualServer = method == Method.Nat
                    ? new() { Scheduler = Scheduler.Rr, Flags = VirtualServerFlag.Stateful, Members = 1, TcpTimeout = 900, TcpFinTimeout = 120, UdpTimeout = 300 }
                    : new() { Scheduler = Scheduler.Table, Slots = 1, Members = 1 };
                foreach (ProtocolType protocol in new[] { ProtocolType.Tcp, ProtocolType.Udp })
                    datapath.Set(id, virtualServer, isIpv4 ? "192.0.2.10" : "2001:db8:1::10", port, protocol);
                datapath.SetTable(id, new Slot { Current = id, Previous = id });
                datapath.SetMembers(id, id);
                id++;
            }
        }

        return datapath;
    }

    private static byte[] Bytes(string address) => IPAddress.Parse(address).GetAddressBytes();

    private enum Kind
    {
        Nat,
        FullNat,
        Gue4,
        Gue6,
        TooBig,
        Echo,
        Answer,
        Error,
    }
}
