using System.Buffers.Text;
using Bascule.Core.Scheduling;

namespace Bascule.Core.ProxyHeaders;

/// <summary>Addresses as text, without an object for each.</summary>
public static class AddressText
{
    /// <summary>Bytes of the longest one.</summary>
    public const int Longest = 45;

    /// <summary>What the lower half of an IPv4 address written as IPv6 begins with: ::ffff:192.0.2.1. RFC 4291 §2.5.5.2.</summary>
    internal const ulong MappedIpv4 = 0xFFFF;

    private const int Groups = 8;

    /// <summary>Writes the address without its port, IPv6 as RFC 5952 has it.</summary>
    /// <param name="output">At least <see cref="Longest"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(in ClientAddress address, Span<byte> output)
    {
        if (address.IsIpv4)
            return WriteIpv4((uint)address.Low, output);
        bool isMapped = address.High == 0 && address.Low >> 32 == MappedIpv4;
        if (!isMapped)
            return WriteIpv6(address, output);
        "::ffff:"u8.CopyTo(output);
        return 7 + WriteIpv4((uint)address.Low, output[7..]);
    }

    /// <summary>Reads an address that is nothing but one; IPv4 in four decimal numbers without leading zeros.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> text, bool isIpv4, out ulong high, out ulong low)
    {
        high = low = 0;
        if (!isIpv4)
            return TryReadIpv6(text, out high, out low);
        if (!TryReadIpv4(text, out uint address))
            return false;
        low = address;
        return true;
    }

    /// <summary>Reads a decimal number without sign and leading zeros.</summary>
    internal static bool TryReadDecimal(ReadOnlySpan<byte> text, uint most, out uint number) =>
        Utf8Parser.TryParse(text, out number, out int read) && read == text.Length && number <= most
        && text[0] != '+' && (text[0] != '0' || text.Length == 1);

    private static int WriteIpv4(uint address, Span<byte> output)
    {
        int at = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            if (at > 0)
                output[at++] = (byte)'.';
            Utf8Formatter.TryFormat((byte)(address >> shift), output[at..], out int digits);
            at += digits;
        }

        return at;
    }

    private static int WriteIpv6(in ClientAddress address, Span<byte> output)
    {
        (int gap, int gapEnd) = LongestGap(address);
        int at = 0;
        for (int i = 0; i < Groups; i++)
        {
            if (i == gap)
            {
                "::"u8.CopyTo(output[at..]);
                at += 2;
                i = gapEnd - 1;
                continue;
            }

            if (i > 0 && i != gapEnd)
                output[at++] = (byte)':';
            GroupOf(address, i).TryFormat(output[at..], out int digits, "x", provider: null);
            at += digits;
        }

        return at;
    }

    /// <summary>The first of the longest runs of zeros, which "::" stands for; a single zero is none. RFC 5952 §4.2.</summary>
    private static (int First, int End) LongestGap(in ClientAddress address)
    {
        (int first, int end) = (-1, -1);
        for (int i = 0; i < Groups; i++)
        {
            int begin = i;
            while (i < Groups && GroupOf(address, i) == 0)
                i++;
            if (i - begin > Math.Max(1, end - first))
                (first, end) = (begin, i);
        }

        return (first, end);
    }

    private static ushort GroupOf(in ClientAddress address, int index) =>
        (ushort)((index < 4 ? address.High : address.Low) >> (48 - (16 * (index % 4))));

    private static bool TryReadIpv4(ReadOnlySpan<byte> text, out uint address)
    {
        address = 0;
        for (int i = 0; i < 4; i++)
        {
            int dot = text.IndexOf((byte)'.');
            if (dot < 0 != (i == 3) || !TryReadDecimal(i == 3 ? text : text[..dot], most: byte.MaxValue, out uint part))
                return false;
            address = (address << 8) | part;
            text = text[(dot + 1)..];
        }

        return true;
    }

    private static bool TryReadIpv6(ReadOnlySpan<byte> text, out ulong high, out ulong low)
    {
        high = low = 0;
        Span<ushort> groups = stackalloc ushort[Groups];
        int gap = -1;
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
        }

        if (!TryReadGroups(text, groups, ref gap, out int count) || (gap < 0 ? count != Groups : count >= Groups))
            return false;
        for (int i = 0; i < Groups; i++)
        {
            int missing = Groups - count;
            ushort group = gap < 0 || i < gap ? groups[i] : i < gap + missing ? (ushort)0 : groups[i - missing];
            (high, low) = i < 4 ? ((high << 16) | group, low) : (high, (low << 16) | group);
        }

        return true;
    }

    private static bool TryReadGroups(ReadOnlySpan<byte> text, Span<ushort> groups, ref int gap, out int count)
    {
        count = 0;
        while (!text.IsEmpty)
        {
            int colon = text.IndexOf((byte)':');
            if (colon < 0)
                return TryReadLast(text, groups, ref count);
            if (count == Groups || !TryReadGroup(text[..colon], out groups[count++]))
                return false;
            text = text[(colon + 1)..];
            if (text.IsEmpty)
                return false; // it ends with a colon
            if (text[0] != ':')
                continue;
            if (gap >= 0)
                return false;
            gap = count;
            text = text[1..];
        }

        return true;
    }

    /// <summary>A group, or two of them written as an IPv4 address.</summary>
    private static bool TryReadLast(ReadOnlySpan<byte> text, Span<ushort> groups, ref int count)
    {
        if (!text.Contains((byte)'.'))
            return count < Groups && TryReadGroup(text, out groups[count++]);
        if (count > Groups - 2 || !TryReadIpv4(text, out uint address))
            return false;
        (groups[count], groups[count + 1]) = ((ushort)(address >> 16), (ushort)address);
        count += 2;
        return true;
    }

    private static bool TryReadGroup(ReadOnlySpan<byte> text, out ushort group) =>
        Utf8Parser.TryParse(text, out group, out int read, 'x') && read == text.Length && text.Length <= 4;
}
