using System.Buffers.Binary;

namespace Bascule.Testing.Packets;

internal enum LayerKind
{
    Ethernet,
    Vlan,
    Ipv4,
    Ipv6,
    Extension,
    Tcp,
    Udp,
    UdpWithoutChecksum,
    Icmp,
    Icmpv6,
    Gre,
    Payload,
    Padding,
}

/// <summary>One header and the number by which the one before refers to it.</summary>
internal sealed record Layer(LayerKind Kind, int Number, byte[] Header);

/// <summary>Puts layers one behind the other and fills in what depends on the others.</summary>
internal static class PacketAssembly
{
    private const ushort TypeIpv4 = 0x0800, TypeIpv6 = 0x86DD;

    public static byte[] Assemble(IReadOnlyList<Layer> layers)
    {
        byte[] bytes = [.. layers.SelectMany(layer => layer.Header)];
        int[] offsets = new int[layers.Count];
        for (int i = 1; i < layers.Count; i++)
            offsets[i] = offsets[i - 1] + layers[i - 1].Header.Length;

        for (int i = 0; i + 1 < layers.Count; i++)
            Link(layers[i], layers[i + 1], bytes.AsSpan(offsets[i]));

        // Padding belongs to no packet. From the inside out: a checksum covers those of the layers within.
        int end = bytes.Length - layers.Where(layer => layer.Kind == LayerKind.Padding).Sum(layer => layer.Header.Length);
        for (int i = layers.Count - 1; i >= 0; i--)
            Finish(layers, offsets, i, bytes.AsSpan(0, end));
        return bytes;
    }

    public static IReadOnlyList<byte[]> Fragments(IReadOnlyList<Layer> layers, int size, uint id)
    {
        int ip = layers.ToList().FindIndex(layer => layer.Kind is LayerKind.Ipv4 or LayerKind.Ipv6);
        bool isIpv4 = layers[ip].Kind == LayerKind.Ipv4;
        int begin = layers.Take(ip + 1).Sum(layer => layer.Header.Length);
        byte[] body = Assemble(layers)[begin..];
        byte protocol = (byte)layers[ip + 1].Number;

        List<byte[]> fragments = [];
        for (int offset = 0; offset < body.Length; offset += size)
        {
            bool more = offset + size < body.Length;
            byte[] part = body[offset..(more ? offset + size : body.Length)];
            fragments.Add(Assemble([.. layers.Take(ip), .. isIpv4 ? [Ipv4Fragment(layers[ip], protocol, id, offset, more)]
                : Ipv6Fragment(layers[ip], protocol, id, offset, more), new(LayerKind.Payload, protocol, part)]));
        }

        return fragments;
    }

    private static Layer Ipv4Fragment(Layer whole, byte protocol, uint id, int offset, bool more)
    {
        byte[] header = [.. whole.Header];
        header[9] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)id);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)((offset / 8) | (more ? 0x2000 : 0)));
        return whole with { Header = header };
    }

    private static Layer[] Ipv6Fragment(Layer whole, byte protocol, uint id, int offset, bool more)
    {
        byte[] header = new byte[8];
        header[0] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), id);
        return [whole, new(LayerKind.Extension, 44, header)];
    }

    // Who comes next; payload leaves what the header says of itself.
    private static void Link(Layer layer, Layer next, Span<byte> header)
    {
        if (next.Kind is LayerKind.Payload or LayerKind.Padding)
            return;
        ushort type = next.Kind switch
        {
            LayerKind.Ipv4 => TypeIpv4,
            LayerKind.Ipv6 => TypeIpv6,
            _ => (ushort)next.Number,
        };
        switch (layer.Kind)
        {
            case LayerKind.Ethernet:
                BinaryPrimitives.WriteUInt16BigEndian(header[12..], type);
                break;
            case LayerKind.Vlan or LayerKind.Gre:
                BinaryPrimitives.WriteUInt16BigEndian(header[2..], type);
                break;
            case LayerKind.Ipv4:
                header[9] = (byte)next.Number;
                break;
            case LayerKind.Ipv6:
                header[6] = (byte)next.Number;
                break;
            case LayerKind.Extension:
                header[0] = (byte)next.Number;
                break;
        }
    }

    private static void Finish(IReadOnlyList<Layer> layers, int[] offsets, int i, Span<byte> packet)
    {
        Span<byte> from = packet[offsets[i]..];
        switch (layers[i].Kind)
        {
            case LayerKind.Ipv4:
                BinaryPrimitives.WriteUInt16BigEndian(from[2..], (ushort)from.Length);
                BinaryPrimitives.WriteUInt16BigEndian(from[10..], InternetChecksum.Of(from[..layers[i].Header.Length]));
                break;
            case LayerKind.Ipv6:
                BinaryPrimitives.WriteUInt16BigEndian(from[4..], (ushort)(from.Length - 40));
                break;
            case LayerKind.Udp or LayerKind.UdpWithoutChecksum:
                BinaryPrimitives.WriteUInt16BigEndian(from[4..], (ushort)from.Length);
                if (layers[i].Kind == LayerKind.Udp)
                    WriteChecksum(from, 6, packet, layers, offsets, i);
                break;
            case LayerKind.Tcp:
                WriteChecksum(from, 16, packet, layers, offsets, i);
                break;
            case LayerKind.Icmp:
                BinaryPrimitives.WriteUInt16BigEndian(from[2..], InternetChecksum.Of(from));
                break;
            case LayerKind.Icmpv6:
                WriteChecksum(from, 2, packet, layers, offsets, i);
                break;
        }
    }

    // With the pseudo header of the IP header that stands before it.
    private static void WriteChecksum(Span<byte> from, int at, Span<byte> packet, IReadOnlyList<Layer> layers, int[] offsets, int i)
    {
        int ip = i - 1;
        while (ip >= 0 && layers[ip].Kind is not (LayerKind.Ipv4 or LayerKind.Ipv6))
            ip--;
        if (ip < 0)
            return;
        bool isIpv4 = layers[ip].Kind == LayerKind.Ipv4;
        ReadOnlySpan<byte> addresses = packet.Slice(offsets[ip] + (isIpv4 ? 12 : 8), isIpv4 ? 8 : 32);
        ushort checksum = InternetChecksum.OfTransport(addresses, (byte)layers[i].Number, from);
        if (checksum == 0 && layers[i].Kind == LayerKind.Udp)
            checksum = 0xFFFF; // RFC 768: 0 would say "not computed"
        BinaryPrimitives.WriteUInt16BigEndian(from[at..], checksum);
    }
}
