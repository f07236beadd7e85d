using System.Globalization;
using System.Net.NetworkInformation;

namespace Bascule.Lab.Watch;

/// <summary>What was seen on the wire.</summary>
internal enum Sight
{
    /// <summary>Somebody said to a third party that the address is theirs: an ARP reply, a solicited Neighbor Advertisement.</summary>
    Owner,

    /// <summary>An echo came back to the client, whose own neighbour table chose whom to ask.</summary>
    Answer,

    /// <summary>The service took up a connection: a SYN was acknowledged. The client's own neighbour table chose whom to ask.</summary>
    Service,

    /// <summary>Gratuitous ARP, or an unsolicited Neighbor Advertisement.</summary>
    Announcement,

    /// <summary>A VRRP advertisement, of any virtual router.</summary>
    Advertisement,
}

/// <summary>One frame that tells who has the address.</summary>
/// <param name="At">On the clock of <see cref="TimeProvider.GetTimestamp"/>, which is the same in every process.</param>
/// <param name="What">Of what kind.</param>
/// <param name="From">The MAC address it came from.</param>
/// <param name="Router">Of an advertisement: the virtual router's id; else 0.</param>
/// <param name="Priority">Of an advertisement; else 0.</param>
internal sealed record Sighting(long At, Sight What, PhysicalAddress From, byte Router, byte Priority)
{
    /// <summary>As one line.</summary>
    public string Line => string.Create(CultureInfo.InvariantCulture, $"{At} {What} {From} {Router} {Priority}");

    /// <summary>What <see cref="Line"/> wrote.</summary>
    public static Sighting Parse(string line) => line.Split(' ') is [var at, var what, var from, var router, var priority]
        ? new(long.Parse(at, CultureInfo.InvariantCulture), Enum.Parse<Sight>(what), PhysicalAddress.Parse(from),
            byte.Parse(router, CultureInfo.InvariantCulture), byte.Parse(priority, CultureInfo.InvariantCulture))
        : throw new FormatException(line);
}
