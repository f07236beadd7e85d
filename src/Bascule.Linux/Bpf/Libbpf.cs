using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

/// <summary>
/// The functions of libbpf 1 that we call, by its names. Those that return a number return the error negated; those that return
/// a pointer return null and leave errno. Callers go through <see cref="BpfLibrary"/> first, which says in words when there is none.
/// </summary>
internal static unsafe partial class Libbpf
{
    public const string Name = "libbpf.so.1";

    // Objects

    [LibraryImport(Name, EntryPoint = "bpf_object__open_mem", SetLastError = true)]
    public static partial nint OpenObject(byte* bytes, nuint length, OpenOptions* options);

    [LibraryImport(Name, EntryPoint = "bpf_object__load")]
    public static partial int LoadObject(nint bpfObject);

    [LibraryImport(Name, EntryPoint = "bpf_object__close")]
    public static partial void CloseObject(nint bpfObject);

    [LibraryImport(Name, EntryPoint = "bpf_object__btf", SetLastError = true)]
    public static partial nint ObjectTypes(nint bpfObject);

    [LibraryImport(Name, EntryPoint = "bpf_object__find_program_by_name", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint FindProgram(nint bpfObject, string name);

    [LibraryImport(Name, EntryPoint = "bpf_object__next_program")]
    public static partial nint NextProgram(nint bpfObject, nint program);

    [LibraryImport(Name, EntryPoint = "bpf_program__name")]
    public static partial byte* ProgramName(nint program);

    [LibraryImport(Name, EntryPoint = "bpf_program__fd")]
    public static partial int ProgramDescriptor(nint program);

    [LibraryImport(Name, EntryPoint = "bpf_program__set_autoload")]
    public static partial int SetAutoload(nint program, [MarshalAs(UnmanagedType.U1)] bool load);

    [LibraryImport(Name, EntryPoint = "bpf_object__find_map_by_name", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint FindMap(nint bpfObject, string name);

    [LibraryImport(Name, EntryPoint = "bpf_object__next_map")]
    public static partial nint NextMap(nint bpfObject, nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__name")]
    public static partial byte* MapName(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__fd")]
    public static partial int MapDescriptor(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__type")]
    public static partial uint MapType(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__key_size")]
    public static partial uint MapKeySize(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__value_size")]
    public static partial uint MapValueSize(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__max_entries")]
    public static partial uint MapMaxEntries(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__map_flags")]
    public static partial uint MapFlags(nint map);

    [LibraryImport(Name, EntryPoint = "bpf_map__set_max_entries")]
    public static partial int SetMaxEntries(nint map, uint entries);

    [LibraryImport(Name, EntryPoint = "bpf_map__reuse_fd")]
    public static partial int ReuseMap(nint map, BpfDescriptor descriptor);

    [LibraryImport(Name, EntryPoint = "bpf_map__initial_value")]
    public static partial byte* InitialValue(nint map, nuint* size);

    [LibraryImport(Name, EntryPoint = "libbpf_set_print")]
    public static partial nint SetPrint(delegate* unmanaged<int, byte*, void*, int> print);

    [LibraryImport(Name, EntryPoint = "libbpf_num_possible_cpus")]
    public static partial int PossibleProcessors();

    [LibraryImport("libc", EntryPoint = "vsnprintf")]
    public static partial int Format(byte* into, nuint length, byte* format, void* arguments);

    // Maps

    [LibraryImport(Name, EntryPoint = "bpf_map_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateMap(uint type, string name, uint keySize, uint valueSize, uint entries, CreateOptions* options);

    [LibraryImport(Name, EntryPoint = "bpf_map_lookup_elem")]
    public static partial int Lookup(BpfDescriptor map, void* key, void* value);

    [LibraryImport(Name, EntryPoint = "bpf_map_update_elem")]
    public static partial int Update(BpfDescriptor map, void* key, void* value, ulong flags);

    [LibraryImport(Name, EntryPoint = "bpf_map_delete_elem")]
    public static partial int Delete(BpfDescriptor map, void* key);

    [LibraryImport(Name, EntryPoint = "bpf_map_get_next_key")]
    public static partial int NextKey(BpfDescriptor map, void* key, void* next);

    [LibraryImport(Name, EntryPoint = "bpf_map_lookup_batch")]
    public static partial int LookupBatch(BpfDescriptor map, void* from, void* to, void* keys, void* values, uint* count, BatchOptions* options);

    [LibraryImport(Name, EntryPoint = "bpf_map_update_batch")]
    public static partial int UpdateBatch(BpfDescriptor map, void* keys, void* values, uint* count, BatchOptions* options);

    // Everything that has a descriptor

    [LibraryImport(Name, EntryPoint = "bpf_obj_get_info_by_fd")]
    public static partial int Information(BpfDescriptor descriptor, void* information, uint* length);

    [LibraryImport(Name, EntryPoint = "bpf_obj_pin", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Pin(BpfDescriptor descriptor, string path);

    [LibraryImport(Name, EntryPoint = "bpf_obj_get", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenPinned(string path);

    [LibraryImport(Name, EntryPoint = "bpf_map_get_fd_by_id")]
    public static partial int OpenMap(uint id);

    [LibraryImport(Name, EntryPoint = "bpf_prog_get_fd_by_id")]
    public static partial int OpenProgram(uint id);

    [LibraryImport(Name, EntryPoint = "bpf_prog_test_run_opts")]
    public static partial int TestRun(BpfDescriptor program, RunOptions* options);

    // Links

    [LibraryImport(Name, EntryPoint = "bpf_link_create")]
    public static partial int CreateLink(BpfDescriptor program, int target, uint attachType, LinkOptions* options);

    [LibraryImport(Name, EntryPoint = "bpf_link_update")]
    public static partial int UpdateLink(BpfDescriptor link, BpfDescriptor program, void* options);

    [LibraryImport(Name, EntryPoint = "bpf_link_detach")]
    public static partial int DetachLink(BpfDescriptor link);

    [LibraryImport(Name, EntryPoint = "bpf_xdp_query")]
    public static partial int QueryXdp(int interfaceIndex, int flags, XdpQueryOptions* options);

    // Ring buffers

    [LibraryImport(Name, EntryPoint = "ring_buffer__new", SetLastError = true)]
    public static partial nint OpenRing(BpfDescriptor map, delegate* unmanaged<void*, void*, nuint, int> sample, void* context, void* options);

    [LibraryImport(Name, EntryPoint = "ring_buffer__poll")]
    public static partial int PollRing(nint ring, int milliseconds);

    [LibraryImport(Name, EntryPoint = "ring_buffer__consume")]
    public static partial int ConsumeRing(nint ring);

    [LibraryImport(Name, EntryPoint = "ring_buffer__free")]
    public static partial void FreeRing(nint ring);

    // Types (BTF)

    [LibraryImport(Name, EntryPoint = "btf__find_by_name_kind", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int FindType(nint types, string name, uint kind);

    [LibraryImport(Name, EntryPoint = "btf__type_cnt")]
    public static partial uint TypeCount(nint types);

    [LibraryImport(Name, EntryPoint = "btf__type_by_id")]
    public static partial uint* TypeOf(nint types, uint id);

    [LibraryImport(Name, EntryPoint = "btf__name_by_offset")]
    public static partial byte* TypeName(nint types, uint offset);

    [LibraryImport(Name, EntryPoint = "btf__resolve_size")]
    public static partial long TypeSize(nint types, uint id);

    [LibraryImport(Name, EntryPoint = "btf__resolve_type")]
    public static partial int ResolveType(nint types, uint id);

    /// <summary>The descriptor that a call returned, or the reason why it returned none.</summary>
    /// <exception cref="KernelException">The call failed.</exception>
    public static BpfDescriptor Opened(string call, int returned) => returned >= 0 ? new(returned) : throw new KernelException(call, (Errno)(-returned));

    /// <summary>Passes what a call returned on, or throws.</summary>
    /// <exception cref="KernelException">The call failed.</exception>
    public static int Checked(string call, int returned) => returned >= 0 ? returned : throw new KernelException(call, (Errno)(-returned));
}
