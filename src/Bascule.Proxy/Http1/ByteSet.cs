using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bascule.Proxy.Http1;

/// <summary>A set of ASCII characters, and where a run of them ends.</summary>
/// <remarks><see cref="SearchValues{T}"/> serves where there are no vectors, and for the last bytes of a buffer; calling it for each short name
/// of a head cost more than the search itself.</remarks>
internal sealed class ByteSet
{
    private readonly SearchValues<byte> _members;

    /// <summary>At a byte's low four bits: one bit for each value of its high four bits that makes a member.</summary>
    private readonly Vector128<byte> _highBitsByLowBits;

    public ByteSet(ReadOnlySpan<byte> members)
    {
        Span<byte> table = stackalloc byte[Vector128<byte>.Count];
        foreach (byte member in members)
            table[member & 0x0F] |= (byte)(1 << (member >> 4));
        _highBitsByLowBits = Vector128.Create<byte>(table);
        _members = SearchValues.Create(members);
    }

    private static Vector128<byte> BitOfHighBits => Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0);

    public bool Contains(byte value) => _members.Contains(value);

    /// <summary>The index of the first byte from <paramref name="start"/> on that is not in the set; the length of the input when all are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int EndOfRun(ReadOnlySpan<byte> input, int start)
    {
        for (; Vector128.IsHardwareAccelerated && input.Length - start >= Vector128<byte>.Count; start += Vector128<byte>.Count)
        {
            Vector128<byte> bytes = Vector128.Create(input[start..]);
            Vector128<byte> allowed = Vector128.ShuffleNative(_highBitsByLowBits, bytes & Vector128.Create((byte)0x0F));
            Vector128<byte> high = Vector128.ShuffleNative(BitOfHighBits, bytes >>> 4);
            Vector128<byte> outside = Vector128.Equals(allowed & high, Vector128<byte>.Zero);
            if (outside != Vector128<byte>.Zero)
                return start + Vector128.IndexOfWhereAllBitsSet(outside);
        }

        int rest = input[start..].IndexOfAnyExcept(_members);
        return rest < 0 ? input.Length : start + rest;
    }
}
