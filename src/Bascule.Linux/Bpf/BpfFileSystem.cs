using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

/// <summary>The file system in which programs, maps and links have names, and so outlive a process. Linux mounts it at /sys/fs/bpf, usually.</summary>
public static unsafe partial class BpfFileSystem
{
    /// <summary>Where it usually is.</summary>
    public const string Usual = "/sys/fs/bpf";

    private const long Magic = 0xCAFE4A11; // BPF_FS_MAGIC

    /// <summary>Makes a folder in it, readable by root alone, and mounts it first where it is missing.</summary>
    /// <param name="folder">Absolute. Below <see cref="Usual"/>, or anywhere that is or shall be such a file system.</param>
    /// <exception cref="BpfException">It cannot be mounted, or the folder cannot be made; the message says why.</exception>
    public static void Prepare(string folder)
    {
        try
        {
            bool isBelowUsual = folder.StartsWith(Usual + "/", StringComparison.Ordinal);
            if (isBelowUsual && !IsMounted(Usual))
                Mount(Usual);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (!IsMounted(folder))
                Mount(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BpfException($"the folder {folder} for BPF pins cannot be made: {e.Message}");
        }
    }

    /// <summary>Whether a path that exists lies in such a file system.</summary>
    public static bool IsMounted(string path)
    {
        const int Length = 256; // struct statfs has 120 bytes; its first word is the type
        long* status = stackalloc long[Length / sizeof(long)];
        return FileSystemStatus(path, (byte*)status) == 0 && (*status & 0xFFFFFFFF) == Magic;
    }

    private static void Mount(string path)
    {
        if (MountFileSystem("bpf", path, "bpf", 0, "mode=0700") != 0)
            throw new BpfException($"{path} is no BPF file system, and none could be mounted there: {Libc.Describe(Libc.LastError)}");
    }

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FileSystemStatus(string path, byte* status);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountFileSystem(string source, string target, string type, ulong flags, string data);
}
