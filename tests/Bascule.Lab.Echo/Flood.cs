using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using Bascule.Linux.Bpf;

namespace Bascule.Lab.Echo;

/// <summary>Sends SYNs from made-up sources straight out of an interface of this network namespace, in a steady rhythm. Says at the end how many.</summary>
internal static class Flood
{
    private const int EthernetLength = 14, FrameLength = 60;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(2);

    /// <param name="interfaceName">Whose other end gets the frames.</param>
    /// <param name="destination">MAC address in them.</param>
    /// <param name="to">Whom the SYNs are for; IPv4.</param>
    /// <param name="perSecond">As many as the machine can send, at most.</param>
    public static int Run(string interfaceName, PhysicalAddress destination, IPEndPoint to, int perSecond, TimeSpan howLong)
    {
        using Stream file = typeof(Flood).Assembly.GetManifestResourceStream("flood.o")!;
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        using BpfObject loaded = BpfObject.Open(bytes, "flood");
        loaded.Load();
        using BpfProgram program = loaded.Program("flood");

        byte[] frame = Frame(destination, to), context = Context(interfaceName);
        // What a busy machine could not send in time is left out: sent all at once it would only fill the cable, which is not what is tried.
        int most = (int)(perSecond * Beat.TotalSeconds * 8), sent = 0;
        TimeSpan before = TimeSpan.Zero;
        for (Stopwatch time = Stopwatch.StartNew(); time.Elapsed < howLong;)
        {
            TimeSpan now = time.Elapsed;
            int due = Math.Min((int)((now - before).TotalSeconds * perSecond), most);
            before = now;
            if (due > 0)
                program.Send(frame, context, due, batch: 64);
            sent += due;
            Thread.Sleep(Beat);
        }

        Console.Out.WriteLine($"{sent}");
        return 0;
    }

    // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
    private static byte[] Context(string interfaceName)
    {
        byte[] context = new byte[24];
        int index = NetworkInterface.GetAllNetworkInterfaces().Single(found => found.Name == interfaceName).GetIPProperties().GetIPv4Properties().Index;
        BitConverter.TryWriteBytes(context.AsSpan(4), FrameLength);
        BitConverter.TryWriteBytes(context.AsSpan(12), index);
        return context;
    }

    private static byte[] Frame(PhysicalAddress destination, IPEndPoint to)
    {
        byte[] frame = new byte[FrameLength];
        destination.GetAddressBytes().CopyTo(frame, 0);
        frame[6] = 2; // a source of our own making
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
        Span<byte> ip = frame.AsSpan(EthernetLength);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], 40);
        ip[8] = 64; // time to live
        ip[9] = 6; // TCP
        to.Address.GetAddressBytes().CopyTo(ip[16..]);
        Span<byte> tcp = ip[20..];
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], (ushort)to.Port);
        tcp[12] = 5 << 4;
        tcp[13] = 2; // SYN
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 65_535);
        return frame;
    }
}
