using System.Net;
using System.Net.Sockets;

namespace Bascule.Packets.Plan;

/// <summary>Where clients connect, as the kernel knows it. Two virtual servers never share one.</summary>
/// <param name="Address">Any: every address of the family.</param>
/// <param name="Port">0: every port.</param>
/// <param name="Protocol">IANA's number: 6 is TCP, 17 is UDP, 1 and 58 the ICMPs.</param>
public readonly record struct ServiceKey(IPAddress Address, int Port, byte Protocol)
{
    /// <summary>Whether it is IPv4.</summary>
    public bool IsIpv4 => Address.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>Whether it is every address of its family.</summary>
    public bool IsAnyAddress => Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether it only says that the address is one of ours, see <see cref="EntryForms.EchoOf"/>.</summary>
    public bool IsEcho => Protocol is EntryForms.Icmp or EntryForms.IcmpV6;
}

/// <summary>What makes a real server the same one as before, whatever else is changed about it: connections to it go on.</summary>
/// <param name="Service">Of the virtual server it belongs to.</param>
/// <param name="Address">Its own.</param>
/// <param name="Port">NAT: where it listens. The others do not rewrite it: 0.</param>
/// <param name="Method">How it is reached; a recorded flow would not survive another way.</param>
public readonly record struct RealServerKey(ServiceKey Service, IPAddress Address, int Port, Xdp.Method Method);

/// <summary>
/// Hands out the numbers by which the datapath knows virtual and real servers. A number that was given back is not handed out again before it is
/// freed: packets in flight and recorded flows may still name it.
/// </summary>
/// <typeparam name="TKey">Who bears the number.</typeparam>
public sealed class IdBook<TKey>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, ushort> _ids = [];
    private readonly HashSet<ushort> _taken = [];
    private int _last;

    /// <summary>The numbers in use, those given back and not freed included.</summary>
    public IReadOnlyCollection<ushort> Taken => _taken;

    /// <summary>Its number, a new one if it has none. Null: all <c>capacity</c> - 1 are taken (0 is nobody's).</summary>
    public ushort? Of(TKey key)
    {
        if (_ids.TryGetValue(key, out ushort known))
            return known;
        // The one that was free for the longest time comes next, so that a late packet meets its own number or none.
        for (int i = 0; i < capacity - 1; i++)
        {
            _last = (_last % (capacity - 1)) + 1;
            if (_taken.Add((ushort)_last))
                return _ids[key] = (ushort)_last;
        }

        return null;
    }

    /// <summary>Who bears a number, or gave one back that is not freed yet.</summary>
    public IReadOnlyCollection<TKey> Bearers => _ids.Keys;

    /// <summary>Its number; null when it has none.</summary>
    public ushort? Find(TKey key) => _ids.TryGetValue(key, out ushort id) ? id : null;

    /// <summary>Takes over what an earlier daemon handed out.</summary>
    public void Adopt(TKey key, ushort id)
    {
        _ids[key] = id;
        Reserve(id);
    }

    /// <summary>Takes over a number whose bearer is not known any more.</summary>
    public void Reserve(ushort id)
    {
        _taken.Add(id);
        _last = int.Max(_last, id);
    }

    /// <summary>Nothing names the number any more.</summary>
    public void Free(ushort id)
    {
        foreach (TKey key in _ids.Where(pair => pair.Value == id).Select(pair => pair.Key).ToList())
            _ids.Remove(key);
        _taken.Remove(id);
    }
}
