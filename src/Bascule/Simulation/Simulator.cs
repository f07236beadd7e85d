using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Sessions;
using Bascule.Core.States;

namespace Bascule.Simulation;

/// <summary>What is asked of a simulation.</summary>
/// <param name="Failing">Real servers that fail half-way; as <see cref="StateNames.FindRealServers"/> takes them.</param>
/// <param name="Weights">Weights that change half-way, as if the file had been reloaded.</param>
internal sealed record Question(int Clients, int Requests, int Seed, ImmutableArray<string> Failing, ImmutableArray<(string RealServer, int Weight)> Weights)
{
    public bool HasChange => Failing.Length + Weights.Length > 0;
}

/// <summary>
/// Puts drawn clients before the schedulers and sessions that the daemon would run with, and counts whom they meet. There is no network: every real server is well
/// until it is told to fail, and each takes the same time for a request.
/// </summary>
/// <remarks>
/// So that schedulers that count connections have something to count, ten requests for each real server are always under way: when one begins, one of
/// them ends, drawn by chance. Each client asks for content of its own, which is what <c>hash</c> goes by.
/// </remarks>
internal sealed class Simulator
{
    private const int UnderWayEach = 10;

    private static readonly TimeSpan Took = TimeSpan.FromMilliseconds(10);

    private readonly Question _question;
    private readonly HashSet<IPEndPoint> _failing;
    private readonly Dictionary<IPEndPoint, int> _weights = [];
    private readonly Configuration _alone;
    private readonly SimulatedClock _clock = new();
    private readonly HealthBoard _health;
    private readonly SnapshotHolder _snapshots;
    private readonly ImmutableArray<ClientAddress> _clients;

    private Simulator(Configuration configuration, VirtualServer virtualServer, Question question)
    {
        _question = question;
        _failing = [.. question.Failing.SelectMany(name => StateNames.FindRealServers(virtualServer, name))];
        foreach ((IPEndPoint address, int weight) in question.Weights.SelectMany(w => StateNames.FindRealServers(virtualServer, w.RealServer).Select(found => (found, w.Weight))))
            _weights[address] = weight;
        _health = new(_clock);
        // Without a check everybody counts as up.
        VirtualServer well = virtualServer with { Check = null, RealServers = [.. virtualServer.RealServers.Select(r => r with { Check = null })] };
        _alone = configuration with { VirtualServers = [well] };
        _snapshots = new(Snapshot.First(_alone, workers: 1, _health));
        Publish(_snapshots.Current);
        _clients = Draw(question.Clients, new Random(question.Seed), virtualServer.Address);
    }

    private LiveVirtualServer VirtualServer => _snapshots.Current.VirtualServers[0];

    /// <summary>The forecast for one virtual server of the configuration.</summary>
    public static VirtualServerForecast Of(Configuration configuration, VirtualServer virtualServer, Question question) =>
        new Simulator(configuration, virtualServer, question).Run();

    private VirtualServerForecast Run()
    {
        Meetings before = MeetAll();
        ImmutableArray<double?> wanted = Shares.Wanted(VirtualServer);
        ImmutableArray<RealServer> asWritten = VirtualServer.Configured.RealServers.AsImmutableArray();
        Meetings after = before;
        if (_question.HasChange)
        {
            Change();
            after = MeetAll();
        }

        ImmutableArray<double?> wantedAfter = Shares.Wanted(VirtualServer);
        int[] lost = new int[asWritten.Length];
        int withoutNeed = 0;
        for (int client = 0; client < _clients.Length; client++)
        {
            int met = before.LastOf[client];
            if (met == Scheduler.None || met == after.FirstOf[client])
                continue;
            lost[met]++;
            if (VirtualServer.RealServers[met].TakesConnections)
                withoutNeed++;
        }

        return new(VirtualServer.Configured.Name, StatusReader.ShortName(VirtualServer.Configured.Scheduler),
            [.. asWritten.Select((r, i) => new RealServerForecast(Show(r.Address), r.Weight, ChangeOf(r), wanted[i], before.ShareOf(i), wantedAfter[i], after.ShareOf(i), lost[i]))],
            before.Refused, after.Refused, lost.Sum(), withoutNeed);
    }

    private void Change()
    {
        VirtualServer configured = VirtualServer.Configured;
        Publish(_snapshots.Current.Next(
            _alone with { VirtualServers = [configured with { RealServers = [.. configured.RealServers.Select(r => r with { Weight = _weights.GetValueOrDefault(r.Address, r.Weight) })] }] }, _health));
        foreach (LiveRealServer failing in VirtualServer.RealServers.Where(r => _failing.Contains(r.Address)))
            failing.State = AdministrativeState.Maintenance; // which counts as down
    }

    private void Publish(Snapshot next)
    {
        _snapshots.Publish(next);
        LiveVirtualServer virtualServer = next.VirtualServers[0];
        for (int i = 0; i < virtualServer.RealServers.Length; i++)
            virtualServer.RealServers[i].State = AdministrativeStates.StricterOf(virtualServer.Configured.State, virtualServer.Configured.RealServers[i].State);
    }

    private string? ChangeOf(RealServer realServer) => _failing.Contains(realServer.Address) ? "fails"
        : _weights.TryGetValue(realServer.Address, out int weight) ? string.Create(CultureInfo.InvariantCulture, $"weight {weight}")
        : null;

    /// <summary>Every client makes its requests, one round after another.</summary>
    private Meetings MeetAll()
    {
        LiveVirtualServer virtualServer = VirtualServer;
        Random chance = new(_question.Seed);
        Meetings meetings = new(_clients.Length, virtualServer.RealServers.Length);
        List<(int RealServer, SessionHold Session)> underWay = [];
        for (int round = 0; round < _question.Requests; round++)
        {
            for (int client = 0; client < _clients.Length; client++)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(1));
                int met = virtualServer.Pick(Asking(virtualServer.Scheduler, client), default, chance, out SessionHold session);
                meetings.Note(client, met);
                if (met == Scheduler.None)
                    continue;
                virtualServer.RealServers[met].Opened();
                virtualServer.RealServers[met].BeginActive();
                underWay.Add((met, session));
                if (underWay.Count > UnderWayEach * virtualServer.RealServers.Length)
                    End(virtualServer, underWay, chance.Next(underWay.Count));
            }
        }

        while (underWay.Count > 0)
            End(virtualServer, underWay, underWay.Count - 1);
        return meetings;
    }

    private void End(LiveVirtualServer virtualServer, List<(int RealServer, SessionHold Session)> underWay, int place)
    {
        (int met, SessionHold session) = underWay[place];
        underWay[place] = underWay[^1];
        underWay.RemoveAt(underWay.Count - 1);
        virtualServer.RealServers[met].EndActive();
        virtualServer.RealServers[met].Closed();
        virtualServer.RealServers[met].AnswerTime.Note(Took, _clock.GetElapsedTime(0));
        session.Release();
    }

    private ClientAddress Asking(Scheduler scheduler, int client) => scheduler is RequestHash hash
        ? _clients[client] with { Content = hash.ContentOf(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/{client}"))) }
        : _clients[client];

    private static string Show(IPEndPoint address) => address.Port == 0 ? address.Address.ToString() : address.ToString();

    private static ImmutableArray<ClientAddress> Draw(int count, Random chance, IPEndPoint asked)
    {
        ClientAddress destination = ClientAddress.Of(asked);
        return [.. Enumerable.Range(0, count).Select(_ => (destination.IsIpv4
            ? new ClientAddress(0, (ulong)chance.NextInt64(1L << 32), (ushort)chance.Next(1024, 65_536), IsIpv4: true)
            : new ClientAddress((ulong)chance.NextInt64(), (ulong)chance.NextInt64(), (ushort)chance.Next(1024, 65_536), IsIpv4: false)).To(destination))];
    }

    /// <summary>Who met whom.</summary>
    private sealed class Meetings(int clients, int realServers)
    {
        private readonly int[] _counts = new int[realServers];
        private int _requests;

        public int[] FirstOf { get; } = [.. Enumerable.Repeat(NotYet, clients)];

        public int[] LastOf { get; } = new int[clients];

        public int Refused { get; private set; }

        private const int NotYet = -2;

        public void Note(int client, int met)
        {
            _requests++;
            if (FirstOf[client] == NotYet)
                FirstOf[client] = met;
            LastOf[client] = met;
            if (met == Scheduler.None)
                Refused++;
            else
                _counts[met]++;
        }

        public double ShareOf(int realServer) => (double)_counts[realServer] / _requests;
    }

    /// <summary>A clock that only the simulation moves.</summary>
    private sealed class SimulatedClock : TimeProvider
    {
        private TimeSpan _now = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _now;

        public void Advance(TimeSpan by) => _now += by;
    }
}
