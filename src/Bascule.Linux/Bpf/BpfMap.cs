namespace Bascule.Linux.Bpf;

/// <summary>A map of which only its shape matters: to pin it, or to have an object reuse it. Any thread.</summary>
public unsafe class BpfMap : IDisposable
{
    internal BpfMap(string name, BpfDescriptor descriptor)
    {
        Name = name;
        Descriptor = descriptor;
        Libbpf.MapInformation information = default;
        uint length = (uint)sizeof(Libbpf.MapInformation);
        Libbpf.Checked("bpf_obj_get_info_by_fd", Libbpf.Information(descriptor, &information, &length));
        Id = information.Id;
        Shape = new((MapType)information.Type, information.KeySize, information.ValueSize, information.Entries, information.Flags);
    }

    /// <summary>As in the source, or the last part of the pin's path.</summary>
    public string Name { get; }

    /// <summary>The kernel's number for it.</summary>
    public uint Id { get; }

    /// <summary>How it was made.</summary>
    public MapShape Shape { get; }

    internal BpfDescriptor Descriptor { get; }

    /// <summary>Opens what <see cref="Pin"/> left.</summary>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    /// <exception cref="KernelException">ENOENT: nothing is pinned there.</exception>
    public static BpfMap OpenPinned(string path) => new(Path.GetFileName(path), Pinned(path));

    /// <inheritdoc cref="OpenPinned(string)" />
    /// <exception cref="BpfException">libbpf is missing, or keys or values have another size.</exception>
    public static BpfMap<TKey, TValue> OpenPinned<TKey, TValue>(string path)
        where TKey : unmanaged
        where TValue : unmanaged => new(Path.GetFileName(path), Pinned(path));

    /// <inheritdoc cref="OpenPinned(string)" />
    /// <exception cref="BpfException">libbpf is missing, or keys or values have another size.</exception>
    public static PerProcessorMap<TKey, TValue> OpenPinnedPerProcessor<TKey, TValue>(string path)
        where TKey : unmanaged
        where TValue : unmanaged => new(Path.GetFileName(path), Pinned(path));

    /// <summary>Makes a map of its own, which no object names: an inner map, usually.</summary>
    /// <param name="name">At most 15 characters; for tools.</param>
    /// <param name="type">What it is.</param>
    /// <param name="entries">At most so many; an array has exactly so many.</param>
    /// <param name="flags">See <see cref="MapFlags"/>.</param>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    /// <exception cref="KernelException">EPERM without CAP_BPF, ENOMEM, EINVAL.</exception>
    public static BpfMap<TKey, TValue> Create<TKey, TValue>(string name, MapType type, uint entries, MapFlags flags = MapFlags.None)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        BpfLibrary.Require();
        Libbpf.CreateOptions options = new() { Size = (nuint)sizeof(Libbpf.CreateOptions), Flags = (uint)flags };
        int returned = Libbpf.CreateMap((uint)type, name, (uint)sizeof(TKey), (uint)sizeof(TValue), entries, &options);
        return new(name, Libbpf.Opened("bpf_map_create", returned));
    }

    /// <summary>Gives it a name in a bpffs folder, by which it outlives this process.</summary>
    /// <exception cref="KernelException">EEXIST, or EPERM where the folder is not of a bpffs.</exception>
    public void Pin(string path) => Libbpf.Checked("bpf_obj_pin", Libbpf.Pin(Descriptor, path));

    /// <summary>Closes the descriptor; the map lives on while somebody uses it.</summary>
    public void Dispose()
    {
        Descriptor.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="OpenPinned(string)" />
    internal static BpfDescriptor Pinned(string path)
    {
        BpfLibrary.Require();
        return Libbpf.Opened($"opening {path}: bpf_obj_get", Libbpf.OpenPinned(path));
    }

    /// <exception cref="BpfException">Its keys or values have another size.</exception>
    private protected void RequireSizes(int key, int value)
    {
        if (Shape.KeySize == key && Shape.ValueSize == value)
            return;
        Descriptor.Dispose();
        throw new BpfException($"map {Name} has keys of {Shape.KeySize} and values of {Shape.ValueSize} bytes, not {key} and {value}");
    }
}

/// <summary>A map with typed keys and values. Any thread; each operation is atomic for one entry. For a map of maps the value is an inner map's descriptor on the way in, its id on the way out: see <see cref="SetInner"/>.</summary>
/// <typeparam name="TKey">Twin of the C struct: same size and byte order.</typeparam>
/// <typeparam name="TValue">Twin of the C struct.</typeparam>
public sealed unsafe class BpfMap<TKey, TValue> : BpfMap
    where TKey : unmanaged
    where TValue : unmanaged
{
    private const uint BatchSize = 4096;

    internal BpfMap(string name, BpfDescriptor descriptor)
        : base(name, descriptor) => RequireSizes(sizeof(TKey), sizeof(TValue));

    /// <summary>The value under a key.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryGet(TKey key, out TValue value)
    {
        fixed (TValue* into = &value)
            return Libbpf.Lookup(Descriptor, &key, into) == 0;
    }

    /// <summary>Adds the entry, or replaces it if the key is already there.</summary>
    /// <exception cref="KernelException">E2BIG when the map is full; ENOMEM.</exception>
    public void Set(TKey key, TValue value) => Require(TrySet(key, value));

    /// <summary>Adds or replaces, and says why it could not.</summary>
    /// <returns><see cref="Errno.None"/> when it did; E2BIG when the map is full.</returns>
    public Errno TrySet(TKey key, TValue value) => (Errno)(-Libbpf.Update(Descriptor, &key, &value, 0));

    /// <summary>Writes an array from its beginning, in one call.</summary>
    /// <exception cref="KernelException">E2BIG: more values than it has entries.</exception>
    public void SetAll(ReadOnlySpan<TValue> values)
    {
        int[] keys = new int[values.Length];
        for (int i = 0; i < keys.Length; i++)
            keys[i] = i;
        if (sizeof(TKey) != sizeof(int) || values.Length > Shape.Entries)
            throw new KernelException("bpf_map_update_batch", Errno.TooBig);
        uint count = (uint)keys.Length;
        Libbpf.BatchOptions options = new() { Size = (nuint)sizeof(Libbpf.BatchOptions) };
        fixed (int* firstKey = keys)
        fixed (TValue* firstValue = values)
            Libbpf.Checked("bpf_map_update_batch", count == 0 ? 0 : Libbpf.UpdateBatch(Descriptor, firstKey, firstValue, &count, &options));
    }

    /// <summary>Puts a map into a map of maps; who reads sees the old one or the new one, whole.</summary>
    /// <exception cref="KernelException">EINVAL: it is not like the template in the source.</exception>
    public void SetInner(TKey key, BpfMap inner)
    {
        int descriptor = inner.Descriptor.Value;
        Libbpf.Checked("bpf_map_update_elem", Libbpf.Update(Descriptor, &key, &descriptor, 0));
        GC.KeepAlive(inner);
    }

    /// <summary>The map inside a map of maps; null when there is none. The caller disposes of it.</summary>
    /// <exception cref="BpfException">Its keys or values have another size.</exception>
    public BpfMap<TInnerKey, TInnerValue>? Inner<TInnerKey, TInnerValue>(TKey key)
        where TInnerKey : unmanaged
        where TInnerValue : unmanaged
    {
        uint id;
        if (sizeof(TValue) != sizeof(uint) || Libbpf.Lookup(Descriptor, &key, &id) != 0)
            return null;
        int descriptor = Libbpf.OpenMap(id);
        return descriptor < 0 ? null : new($"{Name}[{key}]", new BpfDescriptor(descriptor));
    }

    /// <summary>Takes the entry out.</summary>
    /// <returns>False when there was none.</returns>
    public bool Remove(TKey key) => Libbpf.Delete(Descriptor, &key) == 0;

    /// <summary>All entries as they are found; those that come and go meanwhile may or may not be among them.</summary>
    /// <exception cref="KernelException">The map cannot be read.</exception>
    public List<KeyValuePair<TKey, TValue>> Entries(int atMost = int.MaxValue)
    {
        List<KeyValuePair<TKey, TValue>> entries = [];
        foreach (List<KeyValuePair<TKey, TValue>> batch in Batches())
        {
            entries.AddRange(batch.Count <= atMost - entries.Count ? batch : batch[..(atMost - entries.Count)]);
            if (entries.Count == atMost)
                break;
        }

        return entries;
    }

    /// <summary>As <see cref="Entries"/>, some thousands at a time: the kernel is asked for the next when they are wanted.</summary>
    /// <exception cref="KernelException">The map cannot be read.</exception>
    public IEnumerable<List<KeyValuePair<TKey, TValue>>> Batches()
    {
        Batch batch = new(BatchSize, (int)Shape.KeySize);
        while (!batch.IsLast)
        {
            List<KeyValuePair<TKey, TValue>> entries = [];
            if (!TryReadBatch(batch, entries))
            {
                ReadOneByOne(entries);
                batch.IsLast = true;
            }

            yield return entries;
        }
    }

    // False when this kind of map knows no batches.
    private bool TryReadBatch(Batch batch, List<KeyValuePair<TKey, TValue>> into)
    {
        Libbpf.BatchOptions options = new() { Size = (nuint)sizeof(Libbpf.BatchOptions) };
        uint count = (uint)batch.Keys.Length;
        int result;
        fixed (byte* token = batch.Token)
        fixed (TKey* keys = batch.Keys)
        fixed (TValue* values = batch.Values)
            result = Libbpf.LookupBatch(Descriptor, batch.IsFirst ? null : token, token, keys, values, &count, &options);
        Errno error = (Errno)(-result);
        if (error is Errno.NotSupported or Errno.NotSupportedInside or Errno.Invalid && batch.IsFirst)
            return false;
        if (error == Errno.NoSpace) // a chain of the hash table is longer than the batch
        {
            batch.Widen();
            return true;
        }

        if (error is not (Errno.None or Errno.NoEntry))
            throw new KernelException("bpf_map_lookup_batch", error);
        for (int i = 0; i < count; i++)
            into.Add(new(batch.Keys[i], batch.Values[i]));
        (batch.IsFirst, batch.IsLast) = (false, error == Errno.NoEntry);
        return true;
    }

    // Bounded, because a table that changes meanwhile can start from the beginning.
    private void ReadOneByOne(List<KeyValuePair<TKey, TValue>> entries)
    {
        TKey key;
        int more = Libbpf.NextKey(Descriptor, null, &key);
        for (uint seen = 0; more == 0 && seen < Shape.Entries; seen++)
        {
            if (TryGet(key, out TValue value))
                entries.Add(new(key, value));
            TKey next;
            more = Libbpf.NextKey(Descriptor, &key, &next);
            key = next;
        }
    }

    private static void Require(Errno error)
    {
        if (error != Errno.None)
            throw new KernelException("bpf_map_update_elem", error);
    }

    /// <summary>Where reading a map batch by batch stands.</summary>
    private sealed class Batch(uint size, int keySize)
    {
        public byte[] Token { get; } = new byte[Math.Max(keySize, sizeof(ulong))];

        public TKey[] Keys { get; private set; } = new TKey[size];

        public TValue[] Values { get; private set; } = new TValue[size];

        public bool IsFirst { get; set; } = true;

        public bool IsLast { get; set; }

        public void Widen() => (Keys, Values) = (new TKey[Keys.Length * 2], new TValue[Values.Length * 2]);
    }
}

/// <summary>The kernel's flags for making a map. bpf(2).</summary>
[Flags]
public enum MapFlags
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>BPF_F_NO_PREALLOC: memory is taken entry by entry; required for tries.</summary>
    NoPreallocation = 1 << 0,

    /// <summary>BPF_F_INNER_MAP: an array inside a map of maps that may differ in size from its template.</summary>
    Inner = 1 << 12,
}
