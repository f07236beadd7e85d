using System.Text;

namespace Bascule.Linux.Bpf;

/// <summary>What a program did with one packet, or with one packet many times.</summary>
/// <param name="Verdict">What it returned: an XDP_ or TC_ACT_ number.</param>
/// <param name="Length">Bytes of the packet as it left.</param>
/// <param name="Nanoseconds">Average of one run.</param>
public readonly record struct TestRun(uint Verdict, int Length, uint Nanoseconds);

/// <summary>A verified program in the kernel. It runs where a <see cref="BpfLink"/> attaches it, or when it is run by hand. Any thread.</summary>
public sealed unsafe class BpfProgram : IDisposable
{
    private const uint LiveFrames = 1 << 1; // BPF_F_TEST_XDP_LIVE_FRAMES

    internal BpfProgram(string name, BpfDescriptor descriptor)
    {
        Name = name;
        Descriptor = descriptor;
    }

    /// <summary>That of its function in the source, or the last part of the pin's path.</summary>
    public string Name { get; }

    /// <summary>The kernel's number for it.</summary>
    public uint Id
    {
        get
        {
            const int InformationLength = 64; // type and id are its first two words
            uint* information = stackalloc uint[InformationLength / sizeof(uint)];
            uint length = InformationLength;
            new Span<byte>(information, InformationLength).Clear();
            Libbpf.Checked("bpf_obj_get_info_by_fd", Libbpf.Information(Descriptor, information, &length));
            return information[1];
        }
    }

    internal BpfDescriptor Descriptor { get; }

    /// <summary>Opens what <see cref="Pin"/> left.</summary>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    /// <exception cref="KernelException">ENOENT: nothing is pinned there.</exception>
    public static BpfProgram OpenPinned(string path) => new(Path.GetFileName(path), BpfMap.Pinned(path));

    /// <summary>A program for people, by its kernel number: <c>its_name, id 12</c>.</summary>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    public static string Describe(uint id)
    {
        const int InformationLength = 128, NameOffset = 64, NameLength = 16; // struct bpf_prog_info begins so since Linux 4.15
        BpfLibrary.Require();
        byte* information = stackalloc byte[InformationLength];
        uint length = InformationLength;
        new Span<byte>(information, InformationLength).Clear();
        int opened = Libbpf.OpenProgram(id);
        if (opened < 0)
            return $"id {id}";
        using BpfDescriptor descriptor = new(opened);
        if (Libbpf.Information(descriptor, information, &length) < 0)
            return $"id {id}";
        string name = Encoding.UTF8.GetString(new ReadOnlySpan<byte>(information + NameOffset, NameLength)).TrimEnd('\0');
        return name.Length == 0 ? $"id {id}" : $"{name}, id {id}";
    }

    /// <summary>Gives it a name in a bpffs folder, by which it outlives this process.</summary>
    /// <exception cref="KernelException">EEXIST, or EPERM where the folder is not of a bpffs.</exception>
    public void Pin(string path) => Libbpf.Checked("bpf_obj_pin", Libbpf.Pin(Descriptor, path));

    /// <summary>Runs a packet program on a packet of ours, on no interface. BPF_PROG_TEST_RUN.</summary>
    /// <param name="packet">The frame from its Ethernet header on, at least 14 bytes.</param>
    /// <param name="output">Room for the frame as it leaves, which may be longer.</param>
    /// <param name="context">XDP: <c>struct xdp_md</c> (interface and queue it is said to come from); tc: <c>struct __sk_buff</c>; empty for none.</param>
    /// <param name="repeat">How often; the packet of one run is the packet of the next.</param>
    /// <exception cref="KernelException">EPERM without CAP_BPF, ENOSPC when output is too short, EINVAL for a frame or context that cannot be.</exception>
    public TestRun Run(ReadOnlySpan<byte> packet, Span<byte> output, ReadOnlySpan<byte> context = default, int repeat = 1)
    {
        fixed (byte* dataIn = packet, dataOut = output, contextIn = context)
        {
            Libbpf.RunOptions options = new()
            {
                Size = (nuint)sizeof(Libbpf.RunOptions),
                DataIn = dataIn,
                DataInLength = (uint)packet.Length,
                DataOut = dataOut,
                DataOutLength = (uint)output.Length,
                ContextIn = contextIn,
                ContextInLength = (uint)context.Length,
                Repeat = repeat,
            };
            Libbpf.Checked("bpf_prog_test_run_opts", Libbpf.TestRun(Descriptor, &options));
            return new(options.Returned, (int)options.DataOutLength, options.Duration);
        }
    }

    /// <summary>Runs a <c>SEC("syscall")</c> program once.</summary>
    /// <param name="context">Its argument, which it may change; twin of the C struct.</param>
    /// <returns>What it returned.</returns>
    /// <exception cref="KernelException">EPERM without CAP_BPF; EINVAL when the context is of another size.</exception>
    public uint Call<T>(ref T context)
        where T : unmanaged
    {
        fixed (T* argument = &context)
        {
            Libbpf.RunOptions options = new()
            {
                Size = (nuint)sizeof(Libbpf.RunOptions),
                ContextIn = (byte*)argument,
                ContextInLength = (uint)sizeof(T),
            };
            Libbpf.Checked("bpf_prog_test_run_opts", Libbpf.TestRun(Descriptor, &options));
            return options.Returned;
        }
    }

    /// <summary>Has an XDP program send: each run's verdict is done to the frame as if it had come in on the interface of the context.</summary>
    /// <param name="packet">The frame each run begins with, unless the program changed it in an earlier run.</param>
    /// <param name="context"><c>struct xdp_md</c>; empty: the loopback interface of this network namespace.</param>
    /// <param name="repeat">Frames.</param>
    /// <param name="batch">Frames handled at once, 1 to 256.</param>
    /// <returns>Average of one run.</returns>
    /// <exception cref="KernelException">EPERM without CAP_BPF and CAP_NET_ADMIN; EINVAL.</exception>
    public TestRun Send(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> context, int repeat, int batch)
    {
        fixed (byte* dataIn = packet, contextIn = context)
        {
            Libbpf.RunOptions options = new()
            {
                Size = (nuint)sizeof(Libbpf.RunOptions),
                DataIn = dataIn,
                DataInLength = (uint)packet.Length,
                ContextIn = contextIn,
                ContextInLength = (uint)context.Length,
                Repeat = repeat,
                Flags = LiveFrames,
                Batch = (uint)batch,
            };
            Libbpf.Checked("bpf_prog_test_run_opts", Libbpf.TestRun(Descriptor, &options));
            return new(options.Returned, 0, options.Duration);
        }
    }

    /// <summary>Closes the descriptor; the program lives on while it is attached or pinned.</summary>
    public void Dispose() => Descriptor.Dispose();
}
