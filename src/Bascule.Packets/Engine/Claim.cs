using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Engine;

/// <summary>Another daemon has what this one wants. The message is a sentence for the operator.</summary>
internal sealed class TakenException(string message) : Exception(message);

/// <summary>
/// The state folder and the interfaces, for this daemon alone. Interfaces are claimed apart from the folder, so that a daemon with another folder
/// cannot come between: by abstract unix sockets, of which each network namespace has its own, as it has its own interfaces, and which the kernel
/// gives back when the process ends. unix(7).
/// </summary>
internal sealed class Claim : IDisposable
{
    private readonly List<Socket> _interfaces = [];
    private StateFolder? _folder;

    /// <summary>The state folder.</summary>
    public StateFolder Folder => _folder!;

    /// <summary>Takes all of it, or nothing.</summary>
    /// <exception cref="TakenException">Another daemon has some of it.</exception>
    /// <exception cref="BpfException">There can be no datapath here.</exception>
    public static Claim Take(PacketSettings settings)
    {
        if (!DatapathObject.IsIncluded)
            throw new BpfException("this program was built without it, on a machine without clang or libbpf-dev");
        if (BpfLibrary.Missing is { } missing)
            throw new BpfException(missing);
        Claim claim = new();
        try
        {
            foreach (string name in settings.Interfaces)
                claim._interfaces.Add(TakeInterface(name));
            claim._folder = StateFolder.Take(settings.StateFolder);
            return claim;
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of it. What is pinned stays, and works on.</summary>
    public void Dispose()
    {
        _interfaces.ForEach(socket => socket.Dispose());
        _folder?.Dispose();
    }

    private static Socket TakeInterface(string name)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint($"\0bascule/packets/{name}"));
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new TakenException($"another daemon has the packet datapath on {name}: stop it, or leave {name} out of packets.interfaces");
        }
    }
}
