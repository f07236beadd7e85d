using System.Net;
using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Bascule.Vrrp.Addresses;

namespace Bascule.Vrrp.Engine;

/// <summary>How an instance speaks and understands: its advertisements as packets, and which of others' count. Allocates nothing once it has a source.</summary>
internal sealed class Speech : IDisposable
{
    private const int FullTimeToLive = 255; // RFC 9568 §5.1.1.3
    private const int HeaderLength = 8;

    private readonly HaInstance _configured;
    private readonly VrrpLink _link;
    private readonly InstanceCounters _counters;
    private readonly IPAddress[] _advertised;
    private readonly Destination[] _destinations;
    private readonly TimeProvider _time;
    private readonly byte[] _password;
    private readonly byte[] _message = new byte[AdvertisementCodec.MaxLength];
    private readonly byte[]? _virtualMac;
    private readonly PacketSocket? _packets;
    private readonly byte[] _frame = new byte[AdvertisementCodec.MaxLength + VirtualMacFrame.MaxOverhead];
    private NativeAddress _nativeSource;

    /// <param name="secrets">The keys of its HMAC, if it has one.</param>
    /// <param name="time">The wall clock, for the HMAC.</param>
    public Speech(HaInstance configured, VrrpLink link, InstanceCounters counters, IReadOnlyDictionary<SecretSource, byte[]> secrets, TimeProvider time)
    {
        (_configured, _link, _counters, _time) = (configured, link, counters, time);
        _advertised = [.. configured.Addresses.Where(a => !a.IsExcluded).Select(a => a.Address)];
        _destinations = [.. (configured.Unicast.Count > 0 ? configured.Unicast : [VrrpLink.GroupOf(link.Family)]).Select(Destination.To)];
        _password = configured.Authentication is PasswordAuthentication { Password: var password } ? Encoding.UTF8.GetBytes(password) : [];
        if (configured is { VirtualMac: true, Unicast.Count: 0 })
            (_virtualMac, _packets) = (VirtualMac.Of(configured.VirtualRouterId, link.Family == AddressFamily.InterNetworkV6).GetAddressBytes(), new());
        Hmac = configured.Authentication is HmacAuthentication hmac ? new(hmac, hmac.Keys.ToDictionary(key => key.Id, key => secrets[key.Secret])) : null;
    }

    /// <summary>What signs and checks; null where none was configured.</summary>
    public HmacTrailer? Hmac { get; }

    /// <summary>Our own primary address; null while there is none.</summary>
    public IPAddress? Source { get; private set; }

    /// <summary>Looks for our own primary address.</summary>
    /// <returns>Whether there is one.</returns>
    public bool TryFindSource()
    {
        IPAddress? source = _configured.Source ?? _link.Address;
        if (source is not null && !source.Equals(Source))
            _nativeSource = NativeAddress.From(new(source, 0));
        Source = source;
        return source is not null;
    }

    /// <summary>The sender's primary address compared with ours. RFC 9568 §6.4.3.</summary>
    public int CompareToOurs(in NativeAddress sender) => sender.AddressBytes.SequenceCompareTo(_nativeSource.AddressBytes);

    /// <summary>Sends an advertisement to everybody who should hear it.</summary>
    public void Say(in Advertisement advertisement)
    {
        if (Source is null)
            return;
        foreach (Destination to in _destinations)
        {
            int length = AdvertisementCodec.Encode(advertisement, _advertised, Source, to.Address, _configured.Checksum, _password, _message, Hmac, _time.GetUtcNow());
            if (Send(_message.AsSpan(0, length), to.Native) == Errno.None)
                _counters.Sent++;
            else
                _counters.NotSent++;
        }
    }

    /// <summary>Whether a packet of our virtual router's id is an advertisement for us, and what it says. RFC 9568 §7.1, RFC 3768 §7.1.</summary>
    public DecodeError TryUnderstand(in ReceivedPacket packet, ReadOnlySpan<byte> message, IPAddress from, IPAddress to, out Advertisement advertisement)
    {
        advertisement = default;
        bool isFromPeer = IsPeer(from);
        if (_configured.Unicast.Count > 0 && !isFromPeer)
            return DecodeError.NotFromPeer;
        // A peer that was named may be behind a router; of anybody else, the full time to live proves that it is a neighbour.
        if (packet.HopLimit != FullTimeToLive && !isFromPeer)
            return DecodeError.WrongTimeToLive;
        DecodeError error = AdvertisementCodec.TryDecode(message, _configured.Version, from, to, _password, out advertisement, out ChecksumForm form, Hmac, _time.GetUtcNow());
        if (error != DecodeError.None)
            return error;
        if (_configured.Version == VrrpVersion.V2 && advertisement.Interval != _configured.AdvertInterval)
            return DecodeError.OtherInterval;
        Count(message, advertisement, form);
        return DecodeError.None;
    }

    /// <summary>Closes its own socket, if it has one.</summary>
    public void Dispose() => _packets?.Dispose();

    // From the virtual MAC, where there is one: by that the switches learn where it is. RFC 9568 §7.2.
    private Errno Send(ReadOnlySpan<byte> message, in NativeAddress to)
    {
        if (_packets is null)
            return _link.Send(message, to, _nativeSource);
        int length = VirtualMacFrame.Write(_virtualMac, _nativeSource.AddressBytes, to.AddressBytes, message, _frame);
        return _packets.Send(_link.Index, _frame.AsSpan(0, length));
    }

    private bool IsPeer(IPAddress from)
    {
        foreach (IPAddress each in _configured.Unicast)
        {
            if (each.Equals(from))
                return true;
        }

        return false;
    }

    private void Count(ReadOnlySpan<byte> message, in Advertisement advertisement, ChecksumForm form)
    {
        _counters.Received++;
        if (form == ChecksumForm.MessageOnly && _configured.Version == VrrpVersion.V3)
            _counters.ReceivedMessageOnly++;
        if (advertisement.Interval != _configured.AdvertInterval)
            _counters.OtherInterval++;
        if (!NamesOurAddresses(message))
            _counters.OtherAddresses++;
    }

    // In any order. RFC 9568 §7.1 lets a receiver look; who is Active does not depend on it.
    private bool NamesOurAddresses(ReadOnlySpan<byte> message)
    {
        int size = _link.Family == AddressFamily.InterNetwork ? 4 : 16;
        if (message[3] != _advertised.Length)
            return false;
        ReadOnlySpan<byte> named = message.Slice(HeaderLength, message[3] * size);
        Span<byte> ours = stackalloc byte[16];
        foreach (IPAddress address in _advertised)
        {
            address.TryWriteBytes(ours, out _);
            if (!Names(named, ours[..size]))
                return false;
        }

        return true;
    }

    private static bool Names(ReadOnlySpan<byte> named, ReadOnlySpan<byte> address)
    {
        for (; !named.IsEmpty; named = named[address.Length..])
        {
            if (named.StartsWith(address))
                return true;
        }

        return false;
    }

    private readonly record struct Destination(IPAddress Address, NativeAddress Native)
    {
        public static Destination To(IPAddress address) => new(address, NativeAddress.From(new(address, 0)));
    }
}
