using System.Buffers.Binary;
using System.Text;

namespace Bascule.Linux.Files;

/// <summary>What a path leads to. inode(7).</summary>
public enum FileKind
{
    /// <summary>A file with content.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Directory,

    /// <summary>A named or unnamed pipe: opening it may wait for the other side for ever.</summary>
    Pipe,

    /// <summary>A unix socket.</summary>
    Socket,

    /// <summary>A device: a terminal, a disk, /dev/zero.</summary>
    Device,
}

/// <summary>Asks what a path leads to, without opening it.</summary>
public static class FileKinds
{
    /// <summary>The kind, symbolic links followed; null when the kernel does not say: nothing is there, or it may not be looked at.</summary>
    public static FileKind? Of(string path)
    {
        // struct statx has one layout on every architecture, unlike struct stat.
        Span<byte> status = stackalloc byte[Libc.StatxSize];
        byte[] name = [.. Encoding.UTF8.GetBytes(path), 0];
        if (!Libc.TryStatx(name, status))
            return null;
        return (BinaryPrimitives.ReadUInt16LittleEndian(status[Libc.StatxModeOffset..]) & 0xF000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0x1000 => FileKind.Pipe,
            0xC000 => FileKind.Socket,
            _ => FileKind.Device,
        };
    }
}
