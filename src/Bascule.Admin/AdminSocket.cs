using System.Net.Sockets;

namespace Bascule.Admin;

/// <summary>Why the admin socket could not be opened.</summary>
/// <param name="What">The fact.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record AdminProblem(string What, string Hint);

/// <summary>The file of the unix socket: who may have it, and with which mode.</summary>
public static class AdminSocket
{
    /// <summary>Bytes of a path that fit in sockaddr_un, without the final zero. unix(7).</summary>
    private const int LongestPath = 107;

    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private const UnixFileMode FolderOfOwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>
    /// Binds the socket: makes its folder (0750) when there is none, takes over the file that a dead daemon left behind, and
    /// gives the file mode 0660. Nobody can connect before the mode is right: the socket does not listen yet.
    /// </summary>
    /// <param name="path">Whole path of the socket file.</param>
    /// <param name="problem">Why not, when the result is null.</param>
    public static Socket? Bind(string path, out AdminProblem? problem)
    {
        problem = WhyNot(path);
        if (problem is not null)
            return null;

        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            MakeFolder(path);
            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, OwnerAndGroup);
            return socket;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            problem = new($"the admin socket {path} cannot be opened: {e.Message}",
                "run as a user who may write there, or set admin.socket to another path");
            return null;
        }
    }

    private static AdminProblem? WhyNot(string path)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestPath)
            return new($"the admin socket's path is longer than {LongestPath} bytes: {path}", "set admin.socket to a shorter path");
        if (Directory.Exists(path))
            return new($"the admin socket's path {path} is a folder", "set admin.socket to a file in it");
        if (File.Exists(path) && !IsSocket(path))
            return new($"the admin socket's path {path} is a file that is no socket", "remove it, or set admin.socket to another path");
        if (IsAnswered(path))
            return new($"another daemon answers on the admin socket {path}", "stop that one first, or set admin.socket to another path");
        return null;
    }

    // The runtime has no name for a socket file: it is what is neither a regular file, folder nor link. An ordinary file opens; a socket gives ENXIO.
    private static bool IsSocket(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsAnswered(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void MakeFolder(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder && !Directory.Exists(folder))
            Directory.CreateDirectory(folder, FolderOfOwnerAndGroup);
    }
}
