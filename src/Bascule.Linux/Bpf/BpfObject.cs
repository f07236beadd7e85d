using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Bascule.Linux.Bpf;

/// <summary>
/// Programs and maps compiled by clang into one file. Open it, say how large maps are, which ones exist already and how switches
/// are set; load it; then take programs and maps out. Those live on when the object is disposed. Used by one thread.
/// </summary>
public sealed unsafe class BpfObject : IDisposable
{
    private const int LogSize = 1 << 20;
    private const int LogTail = 4000; // characters of the verifier's log that go into a message: its end says what is wrong

    private readonly string _name;
    private readonly byte* _log;
    private nint _object;
    private bool _loaded, _disposed;

    private BpfObject(string name, byte* log)
    {
        _name = name;
        _log = log;
    }

    /// <summary>Reads the file; the kernel is not asked yet.</summary>
    /// <param name="file">The bytes of an ELF file made with <c>-target bpf -g</c>.</param>
    /// <param name="name">For messages and as the beginning of the names of internal maps.</param>
    /// <exception cref="BpfException">libbpf is missing, or the file is none that it understands.</exception>
    public static BpfObject Open(ReadOnlySpan<byte> file, string name)
    {
        BpfLibrary.Require();
        BpfObject opened = new(name, (byte*)NativeMemory.AllocZeroed(LogSize));
        Span<byte> nameBytes = stackalloc byte[64];
        Utf8.FromUtf16(name, nameBytes[..^1], out _, out int length);
        nameBytes[length] = 0;
        fixed (byte* bytes = file, nameStart = nameBytes)
        {
            Libbpf.OpenOptions options = new()
            {
                Size = (nuint)sizeof(Libbpf.OpenOptions),
                Name = nameStart,
                Log = opened._log,
                LogSize = LogSize,
            };
            (nint from, nuint size, nint at) = ((nint)bytes, (nuint)file.Length, (nint)(&options));
            Errno error = Errno.None;
            string heard = BpfLibrary.Hear(() =>
            {
                opened._object = Libbpf.OpenObject((byte*)from, size, (Libbpf.OpenOptions*)at);
                error = Libc.LastError;
            });
            if (opened._object != 0)
                return opened;
            opened.Dispose();
            throw new BpfException($"{name} is not a BPF object that libbpf understands ({Libc.Describe(error)}): {heard.Trim()}", heard);
        }
    }

    /// <summary>The layout of its structs, as clang wrote it down.</summary>
    public BpfTypes Types => new(Libbpf.ObjectTypes(Handle), this);

    /// <summary>Names of the maps, internal ones (<c>.rodata</c>) included.</summary>
    public IReadOnlyList<string> MapNames => Names(Libbpf.NextMap, map => Text(Libbpf.MapName(map)));

    /// <summary>Names of the programs: those of their functions.</summary>
    public IReadOnlyList<string> ProgramNames => Names(Libbpf.NextProgram, program => Text(Libbpf.ProgramName(program)));

    private nint Handle => _object != 0 ? _object : throw new ObjectDisposedException(_name);

    /// <summary>How a map is declared, or made, once it is loaded or reused.</summary>
    /// <exception cref="BpfException">There is no such map.</exception>
    public MapShape Shape(string map)
    {
        nint found = Map(map);
        return new((MapType)Libbpf.MapType(found), Libbpf.MapKeySize(found), Libbpf.MapValueSize(found), Libbpf.MapMaxEntries(found), Libbpf.MapFlags(found));
    }

    /// <summary>Makes a map larger or smaller than declared. Before <see cref="Load"/>.</summary>
    /// <exception cref="BpfException">There is no such map.</exception>
    /// <exception cref="KernelException">EBUSY: it is loaded or reused already.</exception>
    public void SetEntries(string map, uint entries) => Libbpf.Checked("bpf_map__set_max_entries", Libbpf.SetMaxEntries(Map(map), entries));

    /// <summary>Takes a map that exists instead of making one, with the size it has. Before <see cref="Load"/>.</summary>
    /// <exception cref="BpfException">There is no such map, or the one that exists has other keys, values or another type.</exception>
    public void Reuse(string map, BpfMap existing)
    {
        MapShape declared = Shape(map);
        if (!declared.IsCompatibleWith(existing.Shape))
            throw new BpfException($"map {map} of {_name} is {declared}, the one that exists is {existing.Shape}");
        Libbpf.Checked("bpf_map__reuse_fd", Libbpf.ReuseMap(Map(map), existing.Descriptor));
    }

    /// <summary>Sets a <c>const volatile</c> of the source. The verifier then knows its value and leaves out what it rules out. Before <see cref="Load"/>.</summary>
    /// <exception cref="BpfException">There is no such variable, or it is of another size.</exception>
    public void SetConstant<T>(string variable, T value)
        where T : unmanaged
    {
        if (Types.Constant(variable) is not { } place)
            throw new BpfException($"{_name} has no constant {variable}");
        nuint size;
        byte* start = Libbpf.InitialValue(Map(place.Section), &size);
        if (_loaded || start == null || place.Size != sizeof(T) || place.Offset + place.Size > (long)size)
            throw new BpfException($"constant {variable} of {_name} has {place.Size} bytes, not {sizeof(T)}, and can be set before loading only");
        new ReadOnlySpan<byte>(&value, sizeof(T)).CopyTo(new Span<byte>(start + place.Offset, (int)place.Size));
    }

    /// <summary>Whether the source has this <c>const volatile</c>.</summary>
    public bool HasConstant(string variable) => Types.Constant(variable) is not null;

    /// <summary>Leaves a program out of the load.</summary>
    /// <exception cref="BpfException">There is no such program.</exception>
    public void LeaveOut(string program) => Libbpf.Checked("bpf_program__set_autoload", Libbpf.SetAutoload(FindProgram(program), false));

    /// <summary>Makes the maps and has the kernel verify the programs.</summary>
    /// <exception cref="BpfException">It refused. The message ends with what it said, <see cref="BpfException.Log"/> has all of it.</exception>
    public void Load()
    {
        int result = 0;
        string heard = BpfLibrary.Hear(() => result = Libbpf.LoadObject(Handle));
        _loaded = result >= 0;
        if (_loaded)
            return;
        string verifier = Text(_log);
        string log = $"{heard}{verifier}".Trim();
        string reason = (Errno)(-result) == Errno.NotPermitted
            ? "the kernel lets only root, or who has CAP_BPF and CAP_NET_ADMIN, load it"
            : Libc.Describe((Errno)(-result));
        throw new BpfException($"{_name} could not be loaded: {reason}{(log.Length == 0 ? "" : $"\n{log[^Math.Min(log.Length, LogTail)..]}")}", log);
    }

    /// <summary>A program, after <see cref="Load"/>. The caller disposes of it.</summary>
    /// <exception cref="BpfException">There is no such program, or it is not loaded.</exception>
    public BpfProgram Program(string name)
    {
        int descriptor = Libbpf.ProgramDescriptor(FindProgram(name));
        return descriptor >= 0 ? new(name, BpfDescriptor.Duplicate(descriptor)) : throw new BpfException($"program {name} of {_name} is not loaded");
    }

    /// <summary>A map, after <see cref="Load"/>. The caller disposes of it.</summary>
    /// <exception cref="BpfException">There is no such map, it is not loaded, or its keys or values have another size.</exception>
    public BpfMap<TKey, TValue> Map<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => new(name, Loaded(name));

    /// <summary>A map with one value per processor, after <see cref="Load"/>. The caller disposes of it.</summary>
    /// <exception cref="BpfException">There is no such map, it is not loaded, or its keys or values have another size.</exception>
    public PerProcessorMap<TKey, TValue> PerProcessorMap<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => new(name, Loaded(name));

    /// <summary>A map whatever its keys and values are, to pin it, after <see cref="Load"/>. The caller disposes of it.</summary>
    /// <exception cref="BpfException">There is no such map, or it is not loaded.</exception>
    public BpfMap AnyMap(string name) => new(name, Loaded(name));

    /// <summary>Closes the file. Programs and maps taken out of it, pinned or attached live on.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_object != 0)
            Libbpf.CloseObject(_object);
        _object = 0;
        NativeMemory.Free(_log);
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private BpfDescriptor Loaded(string name)
    {
        int descriptor = Libbpf.MapDescriptor(Map(name));
        return descriptor >= 0 ? BpfDescriptor.Duplicate(descriptor) : throw new BpfException($"map {name} of {_name} is not loaded");
    }

    private nint Map(string name)
    {
        nint map = Libbpf.FindMap(Handle, name);
        return map != 0 ? map : throw new BpfException($"{_name} has no map {name}");
    }

    private nint FindProgram(string name)
    {
        nint program = Libbpf.FindProgram(Handle, name);
        return program != 0 ? program : throw new BpfException($"{_name} has no program {name}");
    }

    private List<string> Names(Func<nint, nint, nint> next, Func<nint, string> name)
    {
        List<string> names = [];
        for (nint at = next(Handle, 0); at != 0; at = next(Handle, at))
            names.Add(name(at));
        return names;
    }
}
