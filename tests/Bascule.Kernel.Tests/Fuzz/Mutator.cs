using System.Buffers.Binary;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>Damages frames as wires, buggy senders and attackers do. The same seed, the same frames. Allocates nothing.</summary>
/// <param name="shortest">Frame that the kernel takes for a run.</param>
internal sealed class Mutator(Random random, byte[][] corpus, int shortest)
{
    private const int Longest = 1600;

    private static ReadOnlySpan<byte> Interesting => [0, 1, 4, 5, 6, 17, 41, 43, 44, 47, 50, 58, 59, 60, 0x45, 0x46, 0x4F, 0x60, 0x7F, 0x80, 0xFF];

    /// <summary>A damaged frame, in the buffer.</summary>
    /// <returns>Its length.</returns>
    public int Next(Span<byte> buffer)
    {
        byte[] original = corpus[random.Next(corpus.Length)];
        original.CopyTo(buffer);
        int length = original.Length;
        for (int times = 1 + random.Next(4); times > 0; times--)
            length = Damage(buffer, length);
        if (length < shortest)
            buffer[length..shortest].Clear();
        return Math.Max(length, shortest);
    }

    private int Damage(Span<byte> frame, int length)
    {
        int near = random.Next(Math.Min(length, 120)); // where headers are
        switch (random.Next(11))
        {
            case 0 or 1:
                frame[near] ^= (byte)(1 << random.Next(8));
                return length;
            case 2:
                frame[random.Next(length)] ^= (byte)(1 << random.Next(8));
                return length;
            case 3:
                frame[near] = Interesting[random.Next(Interesting.Length)];
                return length;
            case 4:
                frame[near] = (byte)random.Next(256);
                return length;
            case 5:
                return Math.Max(shortest, random.Next(length));
            case 6:
                return Extend(frame, length);
            case 7:
                BinaryPrimitives.WriteUInt16BigEndian(frame[Math.Min(near, length - 2)..], (ushort)random.Next(length + 40));
                return length;
            case 8:
                return LieAboutLength(frame, length);
            case 9:
                return Splice(frame, length);
            default:
                return Cut(frame, length, near);
        }
    }

    private int Extend(Span<byte> frame, int length)
    {
        int longer = Math.Min(Longest, length + random.Next(1, 200));
        random.NextBytes(frame[length..longer]);
        return longer;
    }

    // The length of the IP packet, or what an IPv4 header says of its own.
    private int LieAboutLength(Span<byte> frame, int length)
    {
        int at = random.Next(4) switch { 0 => 14, 1 => 16, 2 => 18, _ => 18 + 4 };
        if (at + 2 > length)
            return length;
        if (at == 14)
            frame[at] = (byte)(0x40 | random.Next(16));
        else
            BinaryPrimitives.WriteUInt16BigEndian(frame[at..], (ushort)(random.Next(2) == 0 ? random.Next(0x10000) : Math.Max(0, length - 14 - random.Next(80))));
        return length;
    }

    // The beginning of this one and the end of another.
    private int Splice(Span<byte> frame, int length)
    {
        byte[] other = corpus[random.Next(corpus.Length)];
        int at = random.Next(Math.Min(length, other.Length));
        other.AsSpan(at).CopyTo(frame[at..]);
        return other.Length;
    }

    // Some bytes are gone from the middle.
    private int Cut(Span<byte> frame, int length, int at)
    {
        int bytes = Math.Min(random.Next(1, 24), length - at);
        if (length - bytes < shortest)
            return length;
        frame[(at + bytes)..length].CopyTo(frame[at..]);
        return length - bytes;
    }
}
