using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.States;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>Keeps what operators say of real servers and virtual servers: in force, in the state file, and told to who wants to know.</summary>
internal sealed class StateKeeper
{
    private readonly SnapshotHolder _snapshots;
    private readonly Action<Notification> _tell;
    private readonly ILogger _log;
    private readonly Lock _saying = new();
    private readonly Lock _writing = new();
    private bool _saveWaits;
    private bool _isUnread;

    /// <summary>Reads the state file, where there is one.</summary>
    /// <param name="tell">Takes each change as a notification.</param>
    public StateKeeper(string file, SnapshotHolder snapshots, Action<Notification> tell, TimeProvider time, ILogger log)
    {
        (File, _snapshots, _tell, _log) = (file, snapshots, tell, log);
        Book = new(snapshots, time);
        if (Book.Load(Read()))
            TrySave();
    }

    /// <summary>The state file.</summary>
    public string File { get; }

    private string Unreadable => $"{File}.unreadable";

    /// <summary>Everything that was said.</summary>
    public StateBook Book { get; }

    /// <summary>Publishes a snapshot with the states it is to have.</summary>
    public void Publish(Snapshot next)
    {
        if (Book.Publish(next))
            TrySave();
    }

    /// <summary>Does what an operator wants: all of it, or nothing when one of the names means nothing.</summary>
    public (StateResult? Result, ApiError? Refusal) Say(StateRequest request)
    {
        List<StateTarget> targets = [];
        foreach (string name in request.Names)
        {
            if (StateNames.Find(_snapshots.Current.Configuration, name, out ApiError? refusal) is not { } target)
                return (null, refusal);
            targets.Add(target);
        }

        if (targets.Count == 0)
            return (null, new("it does not say of what", "name at least one virtual server or real server"));
        ImmutableArray<StateChange> changed = [.. targets.Select(target => Say(target, request))];
        string? unkept = TrySave();
        return (new(changed, unkept is null ? [] : [unkept]), null);
    }

    /// <summary>Notes what was said on another director, which has told everybody. Called on the channel's thread, which never waits for a disk.</summary>
    public void Learned(StateOrder order)
    {
        if (!order.IsSpent)
            Log.StateSaid(_log, order.Target.ToString(), order.State.Word(), $"{order.By} on the other director", order.Why.Length == 0 ? "" : $": {order.Why}");
        if (!Interlocked.Exchange(ref _saveWaits, true))
            _ = Task.Run(SaveWhatWaits);
    }

    // However many are learned meanwhile: at most one save is under way and one waits, which has them all.
    private void SaveWhatWaits()
    {
        lock (_writing)
        {
            Interlocked.Exchange(ref _saveWaits, false);
            TrySave();
        }
    }

    /// <summary>How far each real server that a name means is on its way.</summary>
    /// <param name="packets">What the datapath says; null when it does not run. Asked only about what it carries.</param>
    public (ImmutableArray<StateProgress> Progress, ApiError? Refusal) Progress(string name, PacketAnswers? packets)
    {
        Snapshot snapshot = _snapshots.Current;
        if (StateNames.Find(snapshot.Configuration, name, out ApiError? refusal) is not { } target)
            return ([], refusal);
        LiveVirtualServer live = snapshot.VirtualServers.First(v => v.Configured.Name == target.VirtualServer);
        PacketAnswers? datapath = live.Configured.IsProxied ? null : packets;
        VirtualServerStatus status = StatusReader.Read(live, datapath?.Report());
        Dictionary<string, long> sessions = (live.Configured.IsProxied ? StatusReader.Sessions(live) : datapath?.Sessions().Where(s => s.VirtualServer == target.VirtualServer) ?? [])
            .GroupBy(s => s.RealServer).ToDictionary(g => g.Key, g => g.Sum(s => s.Clients));
        return ([.. live.RealServers.Zip(status.RealServers)
            .Where(pair => target.RealServer is null || pair.First.Address.Equals(target.RealServer))
            .Select(pair => Progress(live.Configured, pair.First, pair.Second, sessions.GetValueOrDefault(pair.Second.Address)))], null);
    }

    private static StateProgress Progress(VirtualServer configured, LiveRealServer live, RealServerStatus status, long sessions) => new()
    {
        Name = $"{configured.Name}/{status.Address}",
        State = live.EffectiveState,
        Is = status.State,
        // Of UDP no flow of the datapath is ever established, as in IPVS.
        Connections = status.ActiveConnections + (configured.Protocol == VirtualServerProtocol.Udp ? status.InactiveConnections : 0),
        Sessions = live.EffectiveState == AdministrativeState.Maintenance || configured.Persistence is null or { ExpireQuiescent: true }
            ? 0
            : sessions,
    };

    // Said and told at once: what is told last is what is in force.
    private StateChange Say(StateTarget target, StateRequest request)
    {
        lock (_saying)
        {
            (StateOrder order, AdministrativeState before) = Book.Say(target, request.State, request.By, request.Why);
            string because = order.Why.Length == 0 ? "" : $": {order.Why}";
            Log.StateSaid(_log, target.ToString(), order.State.Word(), order.By, because);
            if (order.State != before)
                Tell(order);
            return new(target.ToString(), order.State, before);
        }
    }

    private void Tell(StateOrder order) => _tell(new(
        order.Target.RealServer is null ? NotificationType.VirtualServer : NotificationType.RealServer,
        order.Target.ToString(), order.State.Word(), order.Why.Length == 0 ? $"by {order.By}" : $"by {order.By}: {order.Why}", order.At));

    /// <returns>Why it could not be kept, as a line for the operator; null when it was.</returns>
    private string? TrySave()
    {
        try
        {
            lock (_writing)
            {
                AtomicFile.CreateFolder(Path.GetDirectoryName(File)!);
                if (_isUnread && System.IO.File.Exists(File))
                    System.IO.File.Move(File, Unreadable, overwrite: true);
                _isUnread = false;
                AtomicFile.Write(File, StateFile.Write(Book.Orders));
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.StatesNotKept(_log, File, e.Message);
            return $"It is in force, but will not outlive a restart: {File} cannot be written: {e.Message}";
        }
    }

    private ImmutableArray<StateOrder> Read()
    {
        try
        {
            if (!System.IO.File.Exists(File))
                return [];
            if (StateFile.Read(System.IO.File.ReadAllText(File)) is { } orders)
                return orders;
            System.IO.File.Move(File, Unreadable, overwrite: true);
            Log.OddStateFile(_log, File);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _isUnread = true;
            Log.NoStateFile(_log, File, e.Message);
        }

        return [];
    }
}
