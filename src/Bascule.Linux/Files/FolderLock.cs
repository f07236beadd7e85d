using System.Text;

namespace Bascule.Linux.Files;

/// <summary>Holds a folder for this process alone, until it is disposed of or the process ends, however that happens. flock(2).</summary>
public sealed unsafe class FolderLock : IDisposable
{
    private const int CloseOnExec = 0x80000; // O_CLOEXEC; O_DIRECTORY differs between architectures and is not needed
    private const int ExclusiveNonBlocking = 2 | 4;

    private int _descriptor;

    private FolderLock(int descriptor) => _descriptor = descriptor;

    /// <summary>Takes the folder.</summary>
    /// <returns>Null when another process has it.</returns>
    /// <exception cref="KernelException">There is no such folder, or it may not be opened.</exception>
    public static FolderLock? TryTake(string folder)
    {
        int descriptor;
        fixed (byte* path = (byte[])[.. Encoding.UTF8.GetBytes(folder), 0])
            descriptor = Libc.Open(path, CloseOnExec, 0);
        if (descriptor < 0)
            throw new KernelException($"opening {folder}: open", Libc.LastError);
        if (Libc.Lock(descriptor, ExclusiveNonBlocking) == 0)
            return new(descriptor);
        Errno error = Libc.LastError;
        _ = Libc.Close(descriptor);
        return error == Errno.WouldBlock ? null : throw new KernelException($"locking {folder}: flock", error);
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose()
    {
        if (_descriptor >= 0)
            _ = Libc.Close(_descriptor);
        _descriptor = -1;
    }
}
