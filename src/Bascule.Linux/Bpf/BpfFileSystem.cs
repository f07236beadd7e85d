using System.Buffers.Binary;
using System.Text;

namespace Bascule.Linux.Bpf;

/// <summary>Where pins live. Documentation/filesystems, <c>bpf(2)</c> under BPF_OBJ_PIN.</summary>
public static unsafe class BpfFileSystem
{
    /// <summary>Where every distribution that has one mounts it.</summary>
    public const string UsualPlace = "/sys/fs/bpf";

    private const uint Magic = 0xCAFE4A11; // linux/magic.h, BPF_FS_MAGIC
    private const int StatfsRoom = 256;    // struct statfs has 120 bytes; its first word is the type

    /// <summary>Whether the folder lies on a bpffs. False where there is no such folder.</summary>
    public static bool Contains(string folder)
    {
        byte* status = stackalloc byte[StatfsRoom];
        fixed (byte* path = Path(folder))
            return Libc.StatFileSystem(path, status) == 0 && (uint)BinaryPrimitives.ReadInt64LittleEndian(new(status, 8)) == Magic;
    }

    /// <summary>Mounts one on an existing folder.</summary>
    /// <exception cref="KernelException">EPERM without CAP_SYS_ADMIN; ENODEV: this kernel has none.</exception>
    public static void Mount(string folder)
    {
        fixed (byte* kind = "bpf\0"u8, path = Path(folder))
        {
            if (Libc.Mount(kind, path, kind, 0, null) != 0)
                throw new KernelException($"mounting a bpffs on {folder}: mount", Libc.LastError);
        }
    }

    private static byte[] Path(string folder) => [.. Encoding.UTF8.GetBytes(folder), 0];
}
