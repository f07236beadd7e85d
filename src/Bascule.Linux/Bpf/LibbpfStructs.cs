using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

// Option structs begin with their own size, by which another version of the library knows what we know of.
internal static unsafe partial class Libbpf
{
    /// <summary><c>struct bpf_object_open_opts</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 80)]
    public struct OpenOptions
    {
        [FieldOffset(0)] public nuint Size;
        [FieldOffset(8)] public byte* Name;
        [FieldOffset(56)] public byte* Log;
        [FieldOffset(64)] public nuint LogSize;
        [FieldOffset(72)] public uint LogLevel;
    }

    /// <summary><c>struct bpf_map_create_opts</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 48)]
    public struct CreateOptions
    {
        [FieldOffset(0)] public nuint Size;
        [FieldOffset(24)] public uint InnerMap;
        [FieldOffset(28)] public uint Flags;
    }

    /// <summary><c>struct bpf_map_batch_opts</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BatchOptions
    {
        public nuint Size;
        public ulong ElementFlags;
        public ulong Flags;
    }

    /// <summary><c>struct bpf_test_run_opts</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RunOptions
    {
        public nuint Size;
        public byte* DataIn;
        public byte* DataOut;
        public uint DataInLength;
        public uint DataOutLength;
        public byte* ContextIn;
        public byte* ContextOut;
        public uint ContextInLength;
        public uint ContextOutLength;
        public uint Returned;
        public int Repeat;
        public uint Duration;
        public uint Flags;
        public uint Processor;
        public uint Batch;
    }

    /// <summary><c>struct bpf_link_create_opts</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct LinkOptions
    {
        [FieldOffset(0)] public nuint Size;
        [FieldOffset(8)] public uint Flags;
    }

    /// <summary><c>struct bpf_xdp_query_opts</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct XdpQueryOptions
    {
        [FieldOffset(0)] public nuint Size;
        [FieldOffset(8)] public uint Program;
        [FieldOffset(12)] public uint NativeProgram;
        [FieldOffset(16)] public uint OffloadedProgram;
        [FieldOffset(20)] public uint GenericProgram;
        [FieldOffset(24)] public byte Mode;
    }

    /// <summary>The beginning of the kernel's <c>struct bpf_map_info</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MapInformation
    {
        public uint Type;
        public uint Id;
        public uint KeySize;
        public uint ValueSize;
        public uint Entries;
        public uint Flags;
        public fixed byte Name[16];
    }

    /// <summary>The beginning of the kernel's <c>struct bpf_link_info</c>, with the part of XDP and tcx.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LinkInformation
    {
        public uint Type;
        public uint Id;
        public uint Program;
        public uint Unused;
        public uint Interface;
        public uint AttachType;
    }
}
