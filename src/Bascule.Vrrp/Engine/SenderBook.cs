using System.Net;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Engine;

/// <summary>The addresses heard lately as objects, so that an advertisement from a sender that is known allocates nothing.</summary>
internal sealed class SenderBook
{
    private const int Room = 32; // a flood of made-up senders takes the places of others, and no memory

    private readonly IPAddress?[] _known = new IPAddress?[Room];
    private int _next;

    public IPAddress Find(in NativeAddress address)
    {
        ReadOnlySpan<byte> wanted = address.AddressBytes;
        Span<byte> bytes = stackalloc byte[16];
        foreach (IPAddress? known in _known)
        {
            if (known is not null && known.TryWriteBytes(bytes, out int written) && wanted.SequenceEqual(bytes[..written]))
                return known;
        }

        IPAddress found = new(wanted); // without a scope: link-local ones are told apart by the interface
        _known[_next] = found;
        _next = (_next + 1) % Room;
        return found;
    }
}
