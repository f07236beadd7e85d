using System.Collections.Immutable;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Engine;

/// <summary>The heartbeats: to every address of every peer, and from there. Failover thread only; allocates nothing once it is open.</summary>
internal sealed class PeerTalk : IDisposable
{
    private const int DatagramsAtOnce = 64; // then the timers have their turn
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);

    private readonly HaSettings _settings;
    private readonly ulong _firstToken;
    private readonly TimeSpan _interval;
    private readonly NativeAddress[][] _addresses;
    private readonly byte[] _buffer = new byte[HeartbeatCodec.MaxLength];
    private readonly HeartbeatInstance[] _says;
    private readonly DatagramSocket?[] _sockets = new DatagramSocket?[2];

    /// <param name="secrets">The keys of the peers.</param>
    /// <param name="firstToken">Of its events: this and the next.</param>
    public PeerTalk(HaSettings settings, string node, IReadOnlyDictionary<SecretSource, byte[]> secrets, Random random, ulong firstToken)
    {
        (_settings, _firstToken) = (settings, firstToken);
        _interval = settings.HeartbeatInterval ?? Usual(settings);
        _addresses = [.. settings.Peers.Select(peer => peer.Addresses.Select(address => NativeAddress.From(new(address, settings.Port))).ToArray())];
        Peers = [.. settings.Peers.Select(peer => new PeerView(node, peer.Name, peer.Addresses.Count, secrets[peer.Key], _interval, random))];
        _says = new HeartbeatInstance[int.Min(settings.Instances.Count, Heartbeat.MaxInstances)];
        Due = Peers.IsEmpty ? TimeSpan.MaxValue : TimeSpan.MinValue;
    }

    /// <summary>In the order of the file.</summary>
    public ImmutableArray<PeerView> Peers { get; }

    /// <summary>When the next round must be sent.</summary>
    public TimeSpan Due { get; private set; }

    /// <summary>Opens the port.</summary>
    /// <exception cref="KernelException">Another program has it.</exception>
    public void Open(EpollSet epoll)
    {
        for (int i = 0; i < _sockets.Length; i++)
        {
            AddressFamily family = i == 0 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
            if (!_settings.Peers.Any(peer => peer.Addresses.Any(a => a.AddressFamily == family)))
                continue;
            _sockets[i] = DatagramSocket.Bind(family, _settings.Port);
            epoll.AddReadable(_sockets[i]!.Descriptor, _firstToken + (ulong)i);
        }
    }

    /// <summary>Sends a round.</summary>
    public void Say(ReadOnlySpan<Instance> instances, TimeSpan now)
    {
        if (Peers.IsEmpty)
            return;
        Due = now + _interval;
        for (int i = 0; i < _says.Length; i++)
            _says[i] = instances[i].Judge.Says;
        for (int i = 0; i < Peers.Length; i++)
        {
            Peers[i].BeginRound();
            for (int link = 0; link < _addresses[i].Length; link++)
                Send(i, link, now);
        }
    }

    /// <summary>Takes up what waits.</summary>
    public void Receive(ulong token, ReadOnlySpan<Instance> instances, TimeSpan now)
    {
        for (int i = 0; i < DatagramsAtOnce; i++)
        {
            IoResult result = _sockets[token - _firstToken]!.Receive(_buffer, out NativeAddress from);
            if (result.WouldBlock)
                return;
            if (result.Error == Errno.None)
                Hear(from, _buffer.AsSpan(0, result.Count), instances, now);
        }
    }

    public void Dispose()
    {
        foreach (DatagramSocket? socket in _sockets)
            socket?.Dispose();
    }

    private static TimeSpan Usual(HaSettings settings)
    {
        TimeSpan quarter = settings.Instances.Min(i => i.AdvertInterval) / 4;
        return quarter < ShortestInterval ? ShortestInterval : quarter > LongestInterval ? LongestInterval : quarter;
    }

    private void Send(int peer, int link, TimeSpan now)
    {
        ref readonly NativeAddress to = ref _addresses[peer][link];
        int length = Peers[peer].Write(link, _says, now, _buffer);
        // What cannot be sent is a heartbeat that the other misses, and says so.
        _sockets[to.IsIpv4 ? 0 : 1]?.Send(_buffer.AsSpan(0, length), to);
    }

    private void Hear(in NativeAddress from, ReadOnlySpan<byte> message, ReadOnlySpan<Instance> instances, TimeSpan now)
    {
        for (int peer = 0; peer < _addresses.Length; peer++)
        {
            for (int link = 0; link < _addresses[peer].Length; link++)
            {
                if (!_addresses[peer][link].AddressBytes.SequenceEqual(from.AddressBytes))
                    continue;
                if (Peers[peer].Hear(link, message, now) is HeartbeatOutcome.Taken or HeartbeatOutcome.Unconfirmed)
                {
                    foreach (Instance instance in instances)
                        instance.Hear(Peers[peer], now);
                }

                return;
            }
        }
    }
}
