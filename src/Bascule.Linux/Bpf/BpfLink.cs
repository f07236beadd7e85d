namespace Bascule.Linux.Bpf;

/// <summary>Where on an interface a program sits.</summary>
public enum AttachPoint
{
    /// <summary>XDP in the driver: before the kernel has made anything of the frame.</summary>
    XdpNative,

    /// <summary>XDP after the driver, for interfaces whose driver has none.</summary>
    XdpGeneric,

    /// <summary>tcx, packets that come in. Linux 6.6.</summary>
    TcxIngress,

    /// <summary>tcx, packets that go out. Linux 6.6.</summary>
    TcxEgress,
}

/// <summary>A program attached to an interface, for as long as the link is open or pinned. Any thread.</summary>
public sealed unsafe class BpfLink : IDisposable
{
    // enum bpf_attach_type and the XDP_FLAGS of linux/if_link.h
    private const uint Xdp = 37, TcxIngress = 46, TcxEgress = 47;
    private const uint Generic = 1 << 1, Native = 1 << 2;

    private readonly BpfDescriptor _descriptor;

    private BpfLink(BpfDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>The program that runs now: its kernel number. 0 when the interface is gone or the link was detached.</summary>
    public uint ProgramId => Information.Program;

    /// <summary>The interface's index; 0 when it is gone or the link was detached.</summary>
    public int InterfaceIndex => (int)Information.Interface;

    /// <summary>Whether it is attached at a tcx point rather than as XDP.</summary>
    public bool IsTcx => Information.Type == 11; // BPF_LINK_TYPE_TCX

    private Libbpf.LinkInformation Information
    {
        get
        {
            Libbpf.LinkInformation information = default;
            uint length = (uint)sizeof(Libbpf.LinkInformation);
            Libbpf.Checked("bpf_obj_get_info_by_fd", Libbpf.Information(_descriptor, &information, &length));
            return information;
        }
    }

    /// <summary>Attaches.</summary>
    /// <param name="program">An XDP program for the XDP points, a tc program for the tcx ones.</param>
    /// <param name="interfaceIndex">In this thread's network namespace.</param>
    /// <param name="point">Where.</param>
    /// <param name="error">EBUSY or EEXIST: another program has the place. EOPNOTSUPP: the driver has no XDP. EINVAL: no such interface, or this kernel lacks it.</param>
    /// <returns>Null when it failed.</returns>
    public static BpfLink? TryAttach(BpfProgram program, int interfaceIndex, AttachPoint point, out Errno error)
    {
        (uint type, uint flags) = point switch
        {
            AttachPoint.XdpNative => (Xdp, Native),
            AttachPoint.XdpGeneric => (Xdp, Generic),
            AttachPoint.TcxIngress => (TcxIngress, 0u),
            AttachPoint.TcxEgress => (TcxEgress, 0u),
        };
        Libbpf.LinkOptions options = new() { Size = (nuint)sizeof(Libbpf.LinkOptions), Flags = flags };
        int returned = Libbpf.CreateLink(program.Descriptor, interfaceIndex, type, &options);
        error = returned < 0 ? (Errno)(-returned) : Errno.None;
        return returned < 0 ? null : new(new BpfDescriptor(returned));
    }

    /// <summary>Attaches, or throws.</summary>
    /// <exception cref="KernelException">As <see cref="TryAttach"/> says.</exception>
    public static BpfLink Attach(BpfProgram program, int interfaceIndex, AttachPoint point) =>
        TryAttach(program, interfaceIndex, point, out Errno error) ?? throw new KernelException("bpf_link_create", error);

    /// <summary>Opens what <see cref="Pin"/> left.</summary>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    /// <exception cref="KernelException">ENOENT: nothing is pinned there.</exception>
    public static BpfLink OpenPinned(string path) => new(BpfMap.Pinned(path));

    /// <summary>The kernel number of the XDP program on an interface, whoever attached it; 0: none.</summary>
    /// <exception cref="BpfException">libbpf is missing.</exception>
    /// <exception cref="KernelException">ENODEV.</exception>
    public static uint XdpProgramOn(int interfaceIndex)
    {
        BpfLibrary.Require();
        Libbpf.XdpQueryOptions options = new() { Size = (nuint)sizeof(Libbpf.XdpQueryOptions) };
        Libbpf.Checked("bpf_xdp_query", Libbpf.QueryXdp(interfaceIndex, 0, &options));
        return options.Program != 0 ? options.Program : options.NativeProgram | options.GenericProgram | options.OffloadedProgram;
    }

    /// <summary>Replaces the program: no packet meets none or both.</summary>
    /// <exception cref="KernelException">EINVAL: a program of another type. ENOLINK: detached, or the interface is gone.</exception>
    public void Update(BpfProgram program) => Libbpf.Checked("bpf_link_update", Libbpf.UpdateLink(_descriptor, program.Descriptor, null));

    /// <summary>Gives it a name in a bpffs folder, by which it stays attached when this process ends.</summary>
    /// <exception cref="KernelException">EEXIST, or EPERM where the folder is not of a bpffs.</exception>
    public void Pin(string path) => Libbpf.Checked("bpf_obj_pin", Libbpf.Pin(_descriptor, path));

    /// <summary>Takes the program off the interface now, whoever else has the link open or pinned.</summary>
    /// <exception cref="KernelException">ENOLINK and its like never: detached already is fine.</exception>
    public void Detach()
    {
        int result = Libbpf.DetachLink(_descriptor);
        if ((Errno)(-result) != Errno.NoLink)
            Libbpf.Checked("bpf_link_detach", result);
    }

    /// <summary>Closes the descriptor: an unpinned link ends.</summary>
    public void Dispose() => _descriptor.Dispose();
}
