using System.Net;
using Bascule.Kernel.Tests.Flows;
using Bascule.Packets.Xdp;

namespace Bascule.Kernel.Tests.Replication;

/// <summary>A client that one director remembers returns to its real server at the other.</summary>
public sealed class ClientsFollowTests
{
    private const string Neighbour = "198.51.100.99";

    [KernelTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_client_returns_to_its_real_server(bool isIpv6, bool everything)
    {
        using Pair pair = Persistent(isIpv6);
        string other = isIpv6 ? "2001:db8:9::99" : Neighbour;
        int[] chosen = [pair.A.Connect(5000), pair.A.Connect(5000, other)];

        pair.Active.Tell(pair.Backup, everything);

        Assert.Equal([1, 2], chosen);
        Assert.Equal(chosen.Reverse(), [pair.B.Connect(5001, other), pair.B.Connect(5001)]);
    }

    [KernelFact]
    public void A_session_that_moved_is_told_of_again()
    {
        using Pair pair = Persistent();
        pair.A.Connect(5000);
        pair.Active.TellChanges(pair.Backup);
        pair.A.Change(1, server => server with { Flags = server.Flags & ~RealServerFlag.Up });
        Assert.Equal(2, pair.A.Connect(5001));

        pair.Active.TellChanges(pair.Backup);

        Assert.Equal(2, pair.B.Connect(5002));
    }

    [KernelFact]
    public void One_that_is_used_again_and_again_is_told_of_once_in_an_eighth_of_its_time()
    {
        using Pair pair = Persistent();
        pair.A.Connect(5000);
        List<byte[]> told = [];
        pair.Active.Clients.TakeChanges(_ => { });

        Set(pair.A, session => session with { Told = Farm.Older(session.Seen, 30) });
        pair.A.Sweep();
        pair.Active.Clients.TakeChanges(entry => told.Add(entry.ToArray()));
        Assert.Empty(told);
        Set(pair.A, session => session with { Told = Farm.Older(session.Seen, 40) });
        pair.A.Sweep();
        pair.Active.Clients.TakeChanges(entry => told.Add(entry.ToArray()));

        Assert.Single(told);
    }

    [KernelTheory]
    [InlineData(310, true)] // of 300 s: the other director's word may be so late
    [InlineData(400, false)]
    public void It_is_remembered_at_the_backup_for_as_long_as_at_the_active_one(double silent, bool isRemembered)
    {
        using Pair pair = Persistent();
        pair.A.Connect(5000);
        pair.Active.Clients.TakeChanges(entry => pair.Backup.Clients.Apply(entry.Span));
        Set(pair.B, session => session with { Seen = Farm.Older(session.Seen, silent) });

        Assert.Equal(isRemembered ? 1 : 2, pair.B.Connect(5001)); // 2: whose turn it is here
    }

    [KernelFact]
    public void What_this_director_saw_later_itself_stands()
    {
        using Pair pair = Persistent();
        pair.A.Connect(5000);
        List<byte[]> old = [.. pair.Active.Clients.Everything().Select(entry => entry.ToArray())];
        Assert.Equal(2, pair.B.Connect(5000)); // not told of: its own choice

        old.ForEach(entry => Assert.True(pair.Backup.Clients.Apply([.. entry[..5], 0, 0, 0x80, 0, .. entry[9..]])));

        Assert.Equal(2, pair.B.Connect(5001));
    }

    private static Pair Persistent(bool isIpv6 = false) =>
        new(Farm.With(Scheduler.Rr, VirtualServerFlag.Persistent) with { Persistence = 300, Mask4 = 32, Mask6 = 128 }, Method.Dr, isIpv6);

    private static void Set(Farm farm, Func<Session, Session> change)
    {
        Client key = new() { Source = Address.Of(IPAddress.Parse(Farm.Client)), VirtualServer = Farm.Id, Family = 4 };
        farm.Datapath.Map<Client, Session>("sessions").Set(key, change(farm.Find<Client, Session>("sessions", key)!.Value));
    }
}
