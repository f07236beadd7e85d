using System.Runtime.InteropServices;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/capture.h: packets as they come and as they leave.</summary>
public sealed class CaptureTests
{
    private static readonly VirtualServer Watched = new() { Scheduler = Scheduler.Table, Flags = VirtualServerFlag.Captured };

    [KernelFact]
    public void A_captured_packet_is_there_as_it_came_and_as_it_left()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Ipip), Watched);
        Capture(datapath, bytes: 2048);
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(77)).Frame();

        Sent sent = datapath.Send(frame);

        List<(Captured Record, byte[] Frame)> records = Records(datapath);
        Assert.Equal([frame, sent.Frame], records.Select(record => record.Frame));
        Assert.Equal(records[0].Record with { Time = 0 }, new()
        {
            Interface = (uint)Datapath.LoopbackIndex,
            Length = (uint)frame.Length,
            Bytes = (ushort)frame.Length,
            VirtualServer = Scene.Id4,
            Number = records[1].Record.Number,
        });
        Assert.Equal(records[1].Record with { Time = 0 }, new()
        {
            Interface = (uint)Datapath.LoopbackIndex,
            Length = (uint)sent.Frame.Length,
            Bytes = (ushort)sent.Frame.Length,
            VirtualServer = Scene.Id4,
            RealServer = Scene.Real,
            Outgoing = 1,
            Verdict = (byte)Verdict.Transmit,
            Number = records[0].Record.Number,
        });
        Assert.True(records[0].Record.Time <= records[1].Record.Time && records[0].Record.Time > 0);
    }

    [KernelFact]
    public void An_answer_through_NAT_is_there_too()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Nat) with { Port = 8080 }, new() { Scheduler = Scheduler.Rr, Flags = VirtualServerFlag.Captured | VirtualServerFlag.Stateful });
        datapath.SetMembers(Scene.Id4, Scene.Real);
        datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80, TcpFlag.Syn)));
        Capture(datapath, bytes: 2048);
        byte[] answer = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.RealServer4, Scene.Client4).Tcp(8080, 4242, TcpFlag.Syn | TcpFlag.Ack)).Frame();
        Assert.Equal(2, Records(datapath).Count); // of the SYN, of no length

        Sent sent = datapath.Send(answer);

        Assert.Equal(Verdict.Transmit, sent.Verdict);
        Assert.Equal([answer, sent.Frame], Records(datapath).Select(record => record.Frame));
    }

    [KernelFact]
    public void So_many_bytes_of_each_packet_are_taken_and_none_of_one_that_was_dropped()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr) with { Flags = RealServerFlag.Up | RealServerFlag.Valid }, Watched);
        Capture(datapath, bytes: 54);
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(77)).Frame();

        datapath.Send(frame);

        List<(Captured Record, byte[] Frame)> records = Records(datapath);
        Assert.Equal([frame[..54], []], records.Select(record => record.Frame));
        Assert.Equal((byte)Verdict.Drop, records[1].Record.Verdict);
        Assert.Equal(1u, datapath.Drops(DropReason.NoNeighbour));
    }

    [KernelFact]
    public void One_packet_of_so_many_is_taken()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Watched);
        Capture(datapath, bytes: 14, oneIn: 10);
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80)).Frame();

        for (int i = 0; i < 2000; i++)
            datapath.Send(frame);

        Assert.InRange(Records(datapath).Count, 2 * 120, 2 * 280); // 200 expected; six times the deviation
    }

    [KernelFact]
    public void A_full_ring_loses_captures_and_no_packets()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr), Watched, opened => opened.SetEntries("captured", 4096));
        Capture(datapath, bytes: 1000);
        byte[] frame = Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80).PayloadOf(1000)).Frame();

        for (int i = 0; i < 20; i++)
            Assert.Equal(Verdict.Transmit, datapath.Send(frame).Verdict);

        Assert.InRange(Records(datapath).Count, 1, 4);
    }

    [KernelFact]
    public void Nothing_is_taken_of_a_virtual_server_that_is_not_captured()
    {
        using Datapath datapath = Scene.WithOne(Scene.By(Method.Dr));
        Capture(datapath, bytes: 1000);

        datapath.Send(Scene.Arriving(PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4).Tcp(4242, 80)));

        Assert.Empty(Records(datapath));
    }

    private static void Capture(Datapath datapath, uint bytes, uint oneIn = 1) =>
        datapath.Map<uint, Runtime>("runtime").Set(0, new() { CaptureVirtualServer = Scene.Id4, CaptureOneIn = oneIn, CaptureBytes = bytes });

    private static List<(Captured Record, byte[] Frame)> Records(Datapath datapath)
    {
        List<(Captured, byte[])> records = [];
        using RingBuffer ring = new(datapath.AnyMap("captured"), bytes =>
        {
            ReadOnlySpan<byte> frame = bytes[MemoryMarshal.AsBytes(new Captured[1].AsSpan()).Length..];
            records.Add((MemoryMarshal.Read<Captured>(bytes), frame.ToArray()));
        });
        ring.Poll(TimeSpan.Zero);
        return records;
    }
}
