using System.Text;
using Bascule.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Bascule.Daemon;

/// <summary>Files that are old or new at every moment, also when the power fails in the middle.</summary>
internal static class AtomicFile
{
    /// <summary>Replaces a file's content. Whose it is and who may read it stays; a symbolic link stays one.</summary>
    /// <param name="mode">Of a file that was not there.</param>
    /// <exception cref="IOException">The disk, or the folder.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not, or may not leave it to whose it was.</exception>
    public static void Write(string path, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        string target = (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);
        string next = $"{target}.next";
        UnixFileMode kept = File.Exists(target) ? File.GetUnixFileMode(target) : mode;
        FileOwner? owner = FileOwner.Of(target);
        File.Delete(next);
        // Never readable by more people than it will be: it may hold keys.
        using (SafeFileHandle file = new FileStream(next, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }).SafeFileHandle)
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(text), 0);
            Keep(owner, target, next);
            File.SetUnixFileMode(file, kept);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(next, target, overwrite: true);
    }

    /// <summary>Makes a folder for this user alone, with those above it; one that is there stays as it is.</summary>
    /// <exception cref="IOException">It is a file, or the disk.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not.</exception>
    public static void CreateFolder(string path) => Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    // Before it gets its mode: what the old group may read is not for another one.
    private static void Keep(FileOwner? owner, string target, string next)
    {
        if (owner is not { } kept || FileOwner.Of(next) == kept || kept.TryTake(next))
            return;
        File.Delete(next);
        throw new UnauthorizedAccessException($"{target} belongs to user {kept.User} and group {kept.Group}, and the new file cannot be given to them");
    }
}
