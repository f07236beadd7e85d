namespace Bascule.Proxy.Http1;

/// <summary>A part of the buffer that was parsed. Means nothing without that buffer.</summary>
/// <param name="Start">Index of its first byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct Slice(int Start, int Length)
{
    /// <summary>The index after its last byte.</summary>
    public int End => Start + Length;

    /// <summary>Its bytes in the buffer that was parsed.</summary>
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> input) => input.Slice(Start, Length);
}
