using System.Buffers.Binary;
using System.Text;

namespace Bascule.Linux.Files;

/// <summary>Whose a file is. inode(7).</summary>
/// <param name="User">The user's number.</param>
/// <param name="Group">The group's number.</param>
public readonly record struct FileOwner(uint User, uint Group)
{
    /// <summary>Of what a path leads to, symbolic links followed; null when the kernel does not say: nothing is there, or it may not be looked at.</summary>
    public static FileOwner? Of(string path)
    {
        Span<byte> status = stackalloc byte[Libc.StatxSize];
        return Libc.TryStatx(Name(path), status)
            ? new(BinaryPrimitives.ReadUInt32LittleEndian(status[Libc.StatxUserOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(status[Libc.StatxGroupOffset..]))
            : null;
    }

    /// <summary>Gives it a file. Root may, and for a group the owner who is in it. chown(2).</summary>
    /// <returns>False when the kernel refuses.</returns>
    public unsafe bool TryTake(string path)
    {
        fixed (byte* name = Name(path))
            return Libc.ChangeOwner(name, User, Group) == 0;
    }

    private static byte[] Name(string path) => [.. Encoding.UTF8.GetBytes(path), 0];
}
