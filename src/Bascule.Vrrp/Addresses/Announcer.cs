using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Sockets;

namespace Bascule.Vrrp.Addresses;

/// <summary>
/// Tells neighbours and switches that the addresses of an instance are here: gratuitous ARP and unsolicited Neighbor Advertisements.
/// Times are those since the machine's start. One thread; allocates only when an interface changed.
/// </summary>
/// <exception cref="KernelException">EPERM without CAP_NET_RAW.</exception>
internal sealed class Announcer(AddressKeeper keeper, AnnounceSettings settings) : IDisposable
{
    private readonly AnnouncementSchedule _schedule = new(settings);
    private readonly PacketSocket _socket = new();
    private IReadOnlyList<AddressPlace> _places = [];
    private Announcement[] _announcements = [];

    /// <summary>When <see cref="Tick"/> must be called; <see cref="TimeSpan.MaxValue"/>: not at all.</summary>
    public TimeSpan Due => _schedule.Due;

    /// <summary>Frames sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Frames that could not be sent, for want of a cable or of room in its queue.</summary>
    public long Unsent { get; private set; }

    /// <summary>Builds the frames beforehand, so that the first takeover need not; after <see cref="AddressKeeper.Start"/>.</summary>
    public void Prepare()
    {
        if (ReferenceEquals(_places, keeper.Places))
            return;
        _places = keeper.Places;
        _announcements = [.. _places.Where(place => place.Mac is not null).Select(Build)];
    }

    /// <summary>The addresses have been taken: the first announcements go out, the others follow with <see cref="Tick"/>.</summary>
    public void Announce(TimeSpan now)
    {
        _schedule.Begin(now);
        Tick(now);
    }

    /// <summary>After a conflict, or a pause in which somebody else may have announced them: the same again, at most once a second.</summary>
    public void Again(TimeSpan now)
    {
        _schedule.Again(now);
        Tick(now);
    }

    /// <summary>The addresses have been dropped: nothing more is said.</summary>
    public void Stop() => _schedule.Stop();

    /// <summary>Sends what is due.</summary>
    public void Tick(TimeSpan now)
    {
        if (now < Due)
            return;
        Prepare();
        while (_schedule.TryNext(now, _announcements.Length, out Announcements due))
        {
            foreach (Announcement announcement in _announcements.AsSpan(due.First, due.Count))
                Send(announcement, due.Round);
        }
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _socket.Dispose();

    private void Send(Announcement announcement, int round)
    {
        Errno error = _socket.Send(announcement.Cable, round % 2 == 0 ? announcement.Even : announcement.Odd);
        if (error == Errno.None)
            Sent++;
        else
            Unsent++;
    }

    private static Announcement Build(AddressPlace place)
    {
        if (place.Address.Address.AddressFamily == AddressFamily.InterNetwork)
        {
            return new(place.Cable, NeighbourFrames.GratuitousArp(place.Mac!, place.Address.Address, asReply: false),
                NeighbourFrames.GratuitousArp(place.Mac!, place.Address.Address, asReply: true));
        }

        byte[] frame = NeighbourFrames.UnsolicitedNeighbourAdvertisement(place.Mac!, place.Address.Address, Forwards(place.HolderName));
        return new(place.Cable, frame, frame);
    }

    private static bool Forwards(string link)
    {
        try
        {
            return File.ReadAllText($"/proc/sys/net/ipv6/conf/{link}/forwarding").Trim() == "1";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The frames of one address, for the even and the odd rounds of a burst: those of ARP take turns.</summary>
    private readonly record struct Announcement(int Cable, byte[] Even, byte[] Odd);
}
