namespace Bascule.Proxy.Tests.Descriptors;

/// <summary>The file descriptors of this process.</summary>
internal static class FileDescriptors
{
    public static int Count() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
