using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>Who asks, as the kernel says it.</summary>
internal static class AdminPeer
{
    private const int LevelSocket = 1; // SOL_SOCKET
    private const int OptionPeerCredentials = 17; // SO_PEERCRED
    private const int CredentialsSize = 12; // struct ucred: process, user, group; unix(7)
    private const int UserOffset = 4;
    private const uint Root = 0;

    private static readonly uint OwnUser = ReadOwnUser();

    /// <summary>Whether it is root or the user that this process runs as. Who cannot be asked about is not.</summary>
    public static bool IsOwner(HttpContext context) =>
        context.Features.Get<IConnectionSocketFeature>() is { } connection && IsOwner(UserOf(connection.Socket), OwnUser);

    /// <summary>Whether this user may do what the daemon's own user may.</summary>
    internal static bool IsOwner(uint user, uint own) => user == Root || user == own;

    /// <summary>The effective user id of the process at the other end, at the time it connected.</summary>
    internal static uint UserOf(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[CredentialsSize];
        socket.GetRawSocketOption(LevelSocket, OptionPeerCredentials, credentials);
        return BinaryPrimitives.ReadUInt32LittleEndian(credentials[UserOffset..]);
    }

    // proc_pid_status(5): real, effective, saved and file system user id, after tabs.
    private static uint ReadOwnUser() => uint.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2], CultureInfo.InvariantCulture);
}
