namespace Bascule.Linux.Bpf;

/// <summary>How a map is made. bpf(2), enum bpf_map_type.</summary>
public enum MapType
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Hash table.</summary>
    Hash = 1,

    /// <summary>Array.</summary>
    Array = 2,

    /// <summary>Hash table with a value per processor.</summary>
    PerProcessorHash = 5,

    /// <summary>Array with a value per processor.</summary>
    PerProcessorArray = 6,

    /// <summary>Hash table that forgets who was not asked for longest.</summary>
    LruHash = 9,

    /// <summary>The same with a value per processor.</summary>
    PerProcessorLruHash = 10,

    /// <summary>Longest prefix match.</summary>
    PrefixTrie = 11,

    /// <summary>Array of maps.</summary>
    ArrayOfMaps = 12,

    /// <summary>Hash table of maps.</summary>
    HashOfMaps = 13,

    /// <summary>Interfaces to redirect to.</summary>
    InterfaceHash = 25,

    /// <summary>Ring buffer.</summary>
    RingBuffer = 27,
}

/// <summary>Type and sizes of a map; sizes in bytes.</summary>
public readonly record struct MapShape(MapType Type, uint KeySize, uint ValueSize, uint Entries, uint Flags)
{
    private const uint ReadOnlyForPrograms = 1 << 7;

    /// <summary>Whether a program compiled for one can work with the other: everything but the number of entries is the same.</summary>
    public bool IsCompatibleWith(MapShape other) => Essence == other.Essence;

    // The kernel itself adds BPF_F_RDONLY_PROG to maps of interfaces.
    private MapShape Essence => this with { Entries = 0, Flags = Type == MapType.InterfaceHash ? Flags & ~ReadOnlyForPrograms : Flags };

    /// <inheritdoc />
    public override string ToString() => $"{Type} of {Entries} entries, {KeySize} → {ValueSize} bytes, flags {Flags:x}";
}
