using Bascule.Core.Model;

namespace Bascule.Vrrp;

/// <summary>"I am Active for this virtual router", as sent every interval. RFC 9568 §5, RFC 3768 §5.</summary>
/// <param name="Version">Whose form it has on the wire.</param>
/// <param name="VirtualRouterId">1 to 255.</param>
/// <param name="Priority">Of the sender, 1 to 255; 0 says that it stops being Active now.</param>
/// <param name="Interval">How often the sender speaks. On the wire 10 ms to 40.95 s (version 3) or 1 to 255 s (version 2).</param>
public readonly record struct Advertisement(VrrpVersion Version, byte VirtualRouterId, byte Priority, TimeSpan Interval)
{
    /// <summary>The priority that says goodbye. RFC 9568 §5.2.4.</summary>
    public const byte Goodbye = 0;

    /// <summary>The priority of the router whose own addresses the virtual ones are. RFC 9568 §5.2.4.</summary>
    public const byte Owner = 255;
}

/// <summary>Why a message is no advertisement for us. Each is a counter.</summary>
public enum DecodeError
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>Shorter than its header, or than the addresses it announces.</summary>
    Truncated,

    /// <summary>Its version is not the one this virtual router speaks. RFC 9568 §7.1.</summary>
    WrongVersion,

    /// <summary>Not type 1, the only one there is. RFC 9568 §5.2.2.</summary>
    WrongType,

    /// <summary>It came through a router: the time to live is not 255. RFC 9568 §5.1.1.3.</summary>
    WrongTimeToLive,

    /// <summary>Neither of the two forms of the checksum fits. RFC 9568 §5.2.8.</summary>
    WrongChecksum,

    /// <summary>The virtual router's id is 0. RFC 9568 §5.2.3.</summary>
    NoVirtualRouterId,

    /// <summary>It names no address. RFC 9568 §5.2.5.</summary>
    NoAddresses,

    /// <summary>The interval is 0.</summary>
    NoInterval,

    /// <summary>Version 2: not the authentication that is agreed on. RFC 2338 §5.3.6.</summary>
    WrongAuthentication,

    /// <summary>It has no HMAC, and one is demanded.</summary>
    NoHmac,

    /// <summary>What follows it is no HMAC trailer of the kind we know.</summary>
    WrongTrailer,

    /// <summary>Its HMAC was made with a key that we do not have.</summary>
    UnknownHmacKey,

    /// <summary>Its HMAC is wrong: another key, another sender, or it was altered.</summary>
    WrongHmac,

    /// <summary>It says a time too far from ours: recorded long ago, or the clocks differ.</summary>
    WrongTime,

    /// <summary>Its sender has said it, or something later, before.</summary>
    Replayed,

    /// <summary>Unicast: from an address that is not one of the configured peers.</summary>
    NotFromPeer,

    /// <summary>Version 2: another interval than ours. RFC 3768 §7.1.</summary>
    OtherInterval,

    /// <summary>Of a virtual router that this director has not on the interface.</summary>
    OtherVirtualRouter,
}
