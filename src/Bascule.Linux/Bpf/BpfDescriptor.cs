using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

/// <summary>A descriptor of a map, program or link. What it stands for lives in the kernel until nobody holds it: no descriptor, pin or attachment.</summary>
internal sealed class BpfDescriptor : SafeHandle
{
    private const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC

    public BpfDescriptor(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    public override bool IsInvalid => handle < 0;

    /// <summary>The number. The handle must be kept alive while it is in use.</summary>
    public int Value => (int)handle;

    /// <summary>A second descriptor of the same thing, which lives on when the first is closed.</summary>
    /// <exception cref="KernelException">EMFILE: this process is out of descriptors.</exception>
    public static BpfDescriptor Duplicate(int descriptor)
    {
        int copy = Libc.FileControl(descriptor, DuplicateCloseOnExec, 0);
        return copy >= 0 ? new(copy) : throw new KernelException("fcntl", Libc.LastError);
    }

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
