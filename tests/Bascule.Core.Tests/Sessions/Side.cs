using System.Net;
using System.Text;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.Tests.Model;
using Bascule.Core.Tests.Scheduling;
using Bascule.Testing;

namespace Bascule.Core.Tests.Sessions;

/// <summary>One of two directors: its snapshot, its clients, and what it tells and hears.</summary>
internal sealed class Side
{
    private readonly ManualClock _clock;
    private readonly Snapshot _snapshot;
    private readonly ReplicatedSessions _state;
    private readonly Random _random = new(1);

    public Side(ManualClock clock, params VirtualServer[] virtualServers)
    {
        _clock = clock;
        HealthBoard board = new(clock);
        SnapshotHolder holder = new(Snapshot.First(Sample.Configuration(), workers: 1, board));
        _snapshot = Snapshot.First(Sample.Configuration(virtualServers), workers: 1, board);
        holder.Publish(_snapshot);
        _state = new(() => _snapshot);
    }

    /// <summary>Clients who would return.</summary>
    public int Count => _snapshot.VirtualServers.Sum(v => v.Sessions!.Count().Sum());

    /// <summary>He comes and goes.</summary>
    /// <returns>Whom he met.</returns>
    public IPEndPoint Visit(string client, int virtualServer = 0) => Visit(Farm.Client(client), virtualServer);

    public IPEndPoint Visit(in ClientAddress client, int virtualServer = 0)
    {
        LiveVirtualServer visited = _snapshot.VirtualServers[virtualServer];
        int index = visited.Pick(client, default, _random, out SessionHold hold);
        hold.Release();
        return visited.RealServers[index].Address;
    }

    /// <summary>He comes, and the first he is sent to does not answer.</summary>
    public IPEndPoint VisitElsewhere(string client)
    {
        LiveVirtualServer visited = _snapshot.VirtualServers[0];
        int first = visited.Pick(Farm.Client(client), default, _random, out SessionHold hold);
        hold.Release();
        int second = visited.Pick(Farm.Client(client), Farm.Tried(first), _random, out hold);
        hold.Release();
        return visited.RealServers[second].Address;
    }

    /// <summary>He comes and stays.</summary>
    public IPEndPoint Arrive(string client)
    {
        LiveVirtualServer visited = _snapshot.VirtualServers[0];
        return visited.RealServers[visited.Pick(Farm.Client(client), default, _random, out _)].Address;
    }

    /// <summary>An answer of this real server gives a session id out.</summary>
    public void Learn(string id, int realServer) => _snapshot.VirtualServers[0].Sessions!.Remember(SessionClaim.OfId(Encoding.UTF8.GetBytes(id)), realServer);

    /// <summary>A request with this session id.</summary>
    /// <returns>The index of the real server that it is sent to.</returns>
    public int Ask(string id)
    {
        int index = _snapshot.VirtualServers[0].Pick(Farm.Client("192.0.2.1"), SessionClaim.OfId(Encoding.UTF8.GetBytes(id)), default, _random, out SessionHold hold);
        hold.Release();
        return index;
    }

    public byte[][] Tell()
    {
        List<byte[]> told = [];
        Assert.True(_state.TakeChanges(entry => told.Add(entry.ToArray())));
        return [.. told];
    }

    /// <summary>What it leaves when it is stopped.</summary>
    public string? Write() => KeptSessions.Write(_state, _clock.GetUtcNow());

    /// <summary>It is started, and finds this.</summary>
    public int Read(string kept) => KeptSessions.Read(kept, _state, _clock.GetUtcNow());

    public byte[][] Everything() => [.. _state.Everything().Select(e => e.ToArray())];

    /// <summary>How many of them it understood.</summary>
    public int Hear(params byte[][] entries) => entries.Count(e => _state.Apply(e));
}
