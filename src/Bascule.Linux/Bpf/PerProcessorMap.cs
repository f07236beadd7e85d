namespace Bascule.Linux.Bpf;

/// <summary>A map in which each processor has a value of its own: counters, written without a lock and added up by the reader. Any thread.</summary>
/// <typeparam name="TKey">Twin of the C struct.</typeparam>
/// <typeparam name="TValue">Twin of the C struct, of one processor.</typeparam>
public sealed unsafe class PerProcessorMap<TKey, TValue> : BpfMap
    where TKey : unmanaged
    where TValue : unmanaged
{
    private static readonly int Stride = (sizeof(TValue) + 7) & ~7; // the kernel rounds each processor's value up to 8 bytes

    internal PerProcessorMap(string name, BpfDescriptor descriptor)
        : base(name, descriptor) => RequireSizes(sizeof(TKey), sizeof(TValue));

    /// <summary>Reads what each processor wrote.</summary>
    /// <param name="key">Of the entry.</param>
    /// <param name="values">Room for <see cref="BpfLibrary.Processors"/> values.</param>
    /// <returns>False when there is no such entry.</returns>
    public bool TryGet(TKey key, Span<TValue> values)
    {
        int processors = BpfLibrary.Processors;
        byte[] raw = new byte[Stride * processors];
        fixed (byte* start = raw)
        {
            if (Libbpf.Lookup(Descriptor, &key, start) != 0)
                return false;
            for (int i = 0; i < processors && i < values.Length; i++)
                values[i] = *(TValue*)(start + (i * Stride));
        }

        return true;
    }

    /// <summary>What each processor wrote; empty when there is no such entry.</summary>
    public TValue[] Get(TKey key)
    {
        TValue[] values = new TValue[BpfLibrary.Processors];
        return TryGet(key, values) ? values : [];
    }

    /// <summary>Writes the same value for every processor: zero, usually.</summary>
    /// <exception cref="KernelException">E2BIG: there is no such entry, or no room.</exception>
    public void Set(TKey key, TValue value)
    {
        byte[] raw = new byte[Stride * BpfLibrary.Processors];
        fixed (byte* start = raw)
        {
            for (int i = 0; i < raw.Length; i += Stride)
                *(TValue*)(start + i) = value;
            Libbpf.Checked("bpf_map_update_elem", Libbpf.Update(Descriptor, &key, start, 0));
        }
    }

    /// <summary>Reads an array from its beginning in one call: value of processor p under key k at [k × <see cref="BpfLibrary.Processors"/> + p].</summary>
    /// <exception cref="KernelException">The map is no array, or has fewer entries.</exception>
    public TValue[] GetAll(int entries)
    {
        int processors = BpfLibrary.Processors;
        TValue[] values = new TValue[entries * processors];
        byte[] raw = new byte[entries * processors * Stride];
        uint[] keys = new uint[entries];
        uint count = (uint)entries, token;
        if (entries == 0)
            return values;
        Libbpf.BatchOptions options = new() { Size = (nuint)sizeof(Libbpf.BatchOptions) };
        fixed (byte* start = raw)
        fixed (uint* firstKey = keys)
        {
            int result = sizeof(TKey) == sizeof(uint) ? Libbpf.LookupBatch(Descriptor, null, &token, firstKey, start, &count, &options) : -(int)Errno.Invalid;
            if ((result != 0 && (Errno)(-result) != Errno.NoEntry) || count != entries)
                throw new KernelException("bpf_map_lookup_batch", (Errno)(-result));
            for (int i = 0; i < values.Length; i++)
                values[i] = *(TValue*)(start + (i * Stride));
        }

        return values;
    }
}
