using System.Collections.Immutable;
using System.Net.Sockets;
using Bascule.Admin;
using Bascule.Commands;
using Bascule.Core.Api;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Replication;
using Bascule.Core.Roles;
using Bascule.Core.Sessions;
using Bascule.Core.States;
using Bascule.Core.Weights;
using Bascule.Health;
using Bascule.Linux;
using Bascule.Linux.Process;
using Bascule.Notify;
using Bascule.Packets;
using Bascule.Proxy;
using Bascule.Replication;
using Bascule.Vrrp.Engine;
using Bascule.Vrrp.Handover;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>The composition root: the engines, the admin socket, and what keeps them in step with the configuration file.</summary>
internal sealed partial class Director
{
    /// <summary>For a peer to check a configuration: it may be four megabytes.</summary>
    private static readonly TimeSpan PeerPatience = TimeSpan.FromSeconds(10);

    /// <summary>keepalived: as for its startup and shutdown scripts.</summary>
    private static readonly TimeSpan QuorumPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstAnswersPatience = TimeSpan.FromSeconds(1);

    private readonly ulong _filesAllowed;
    private readonly string _file;
    private readonly string _adminSocket;
    private readonly string? _stateFile; // null: named on the command line, and so the same whatever the file says
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HealthBoard _board;
    private readonly SnapshotHolder _snapshots;
    private readonly StateKeeper _states;
    private readonly RoleBoard _roles;
    private readonly HealthEngine _health;
    private readonly ProxyEngine _proxy;
    private readonly PacketEngine? _packets;
    private readonly VrrpEngine? _failover;
    private readonly HandoverDesk? _handover;
    private readonly List<string> _problems = [];
    private readonly ReplicationEngine? _channel;
    private SharedConfiguration? _shared;
    private readonly Notifier _notifier;
    private readonly DateTimeOffset _startedAt;
    private readonly Lock _changing = new();
    private readonly TrafficWatch _traffic;
    private readonly CookieKeys _cookieKeys;
    private readonly SessionFile _sessionFile;
    private readonly WeightLoop _weights;
    private AdminServer? _admin;
    private RoleFollower? _follower;
    private bool _isStopping;

    private Director(string file, string text, Configuration configuration, IReadOnlyDictionary<SecretSource, byte[]> secrets, TimeProvider time, ILoggerFactory loggers, string? stateFile)
    {
        Random chance = new(Environment.ProcessId ^ (int)time.GetTimestamp());
        _file = Path.GetFullPath(file);
        _inForce = new(text);
        _adminSocket = configuration.AdminSocket;
        _stateFile = stateFile is null ? configuration.StateFile : null;
        _time = time;
        _log = loggers.CreateLogger<Director>();
        _cookieKeys = new(Path.GetFullPath(stateFile ?? configuration.StateFile), _log);
        _startedAt = time.GetUtcNow();
        _board = new(time);
        _filesAllowed = FileLimit.RaiseToHardLimit();
        int workers = WorkersOf(configuration);
        _snapshots = new(Snapshot.First(FitToDescriptors(_cookieKeys.Resolve(configuration), workers), workers, _board));
        _proxy = new(_snapshots.Current, time, new Random(chance.Next()), loggers);
        _notifier = NotifierOf(configuration, time, loggers);
        _states = new(Path.GetFullPath(stateFile ?? configuration.StateFile), _snapshots, TellOfState, time, _log);
        _sessionFile = new(Path.GetFullPath(stateFile ?? configuration.StateFile), new(() => Current), time, _log);
        _health = new(time, new Random(chance.Next()), loggers.CreateLogger<HealthEngine>());
        _traffic = new(time, () => StatusReader.Read(Current, _packets?.Answers.Report()));
        _weights = new(time, () => Current, Tell, _log);
        // Until failover has started, what an instance has is nobody's.
        _roles = new(configuration.Ha is { } shared ? new(0, shared.Instances) : RoleSet.Alone);
        _failover = configuration.Ha is { } ha
            ? new(ha, new(StateChannel.NodeOf(configuration), secrets, _roles, () => Current), new BootTime(), new Random(chance.Next()), loggers.CreateLogger<VrrpEngine>())
            : null;
        _handover = _failover is null ? null : DeskOf(_failover, loggers);
        _packets = configuration.Packets is { } settings ? new(settings, _snapshots.Current, _roles.Current, configuration.Ha, time, loggers) : null;
        _channel = StateChannel.Build(configuration, StateChannel.Peers(configuration, _problems), States(), () => _shared, time, new Random(chance.Next()), loggers);
        _health.WentUpOrDown += Tell;
        _health.Changed += _weights.Wake;
        if (_failover is not null)
            _failover.Changed += change => _notifier.Tell(new(NotificationType.Instance, change.Instance, change.To.ToString().ToLowerInvariant(), change.Why, change.At));
    }

    /// <summary>What it balances now.</summary>
    public Snapshot Current => _snapshots.Current;

    /// <summary>Opens everything, then starts everything.</summary>
    /// <param name="file">Where the configuration came from, and where a reload looks again.</param>
    /// <param name="text">What the file said when <paramref name="configuration"/> was read from it.</param>
    /// <param name="complain">Takes each reason why not, as a line for the operator.</param>
    /// <param name="stateFile">In place of what the configuration says; null: as it says.</param>
    /// <returns>Null when there was a reason why not; then nothing is left open.</returns>
    public static async Task<Director?> StartAsync(
        string file, string text, Configuration configuration, TimeProvider time, ILoggerFactory loggers, Action<string> complain, string? stateFile = null)
    {
        IReadOnlyDictionary<SecretSource, byte[]> secrets = Secrets.Read(configuration, out string[] unread);
        if (unread.Length > 0)
        {
            Array.ForEach(unread, complain);
            return null;
        }

        // The admin socket first: if another daemon runs on this file, that is the one thing the operator has to know.
        Socket? socket = AdminSocket.Bind(configuration.AdminSocket, out AdminProblem? problem);
        if (socket is null)
        {
            complain($"{problem!.What} ({problem.Hint})");
            return null;
        }

        Director director = new(file, text, configuration, secrets, time, loggers, stateFile);
        RoleSet roles = director._roles.Current;
        string[] problems = [.. director._problems, .. director._proxy.Prepare(director.Current, roles).Select(Sentence), .. director.ClaimDatapath()];
        if (problems.Length > 0)
        {
            Array.ForEach(problems, complain);
            socket.Dispose();
            return null;
        }

        director._notifier.Apply(ReceiversOf(configuration));
        director._notifier.Tell(new(NotificationType.Director, StateChannel.NodeOf(configuration), "started", $"with {director._file}", director._startedAt));
        director._weights.Turn(); // who has a quorum from the start is told too
        director._shared = director.OpenShared(configuration, text);
        director._health.Apply(director.Current, roles);
        director._admin = await AdminServer.StartAsync(socket, new(VersionCommand.Current, director.Status, director.ReloadAsync)
        {
            Packets = () => director._packets?.Answers,
            Sessions = () => StatusReader.Sessions(director.Current),
            States = new(director._states.Say, director.Progress),
            Edit = director.EditAsync,
            Ha = director.Ha,
            Configuration = director.Configuration,
        }, loggers);
        // Clients already wait in the kernel's queue: better a moment there than a 503 from a director that has not asked yet.
        await Task.WhenAny(director._health.FirstAnswersAsync(), Task.Delay(FirstAnswersPatience, time));
        director._sessionFile.Take();
        director._proxy.Start();
        director._traffic.Start();
        director._weights.Start();
        await director.StartDatapathAsync();
        director._channel?.Start();
        director._follower = RoleFollower.Begin(director._roles, roles, director.Follow, director._log);
        if (await director.StartFailoverAsync() is { } why)
        {
            complain(why);
            await director.StopAsync();
            return null;
        }

        foreach (LiveVirtualServer virtualServer in director.Current.VirtualServers)
            Log.Serving(director._log, Summary.Of(virtualServer.Configured));
        return director;
    }

    /// <summary>Reads the file again and puts the difference in force; with any problem, nothing changes. One reload at a time.</summary>
    public Task<ReloadResult> ReloadAsync() => SayAsync(Task.Run(() => _shared?.ReloadAsync(ReloadHere) ?? Task.FromResult(ReloadHere())));

    /// <summary>What it does now, for the API.</summary>
    public DirectorStatus Status()
    {
        Snapshot snapshot = Current;
        PacketReport? report = _packets?.Answers.Report();
        return new()
        {
            Version = VersionCommand.Current.Version,
            ProcessId = Environment.ProcessId,
            ConfigurationFile = _file,
            StartedAt = _startedAt,
            Now = _time.GetUtcNow(),
            Workers = snapshot.Workers,
            Snapshot = snapshot.Version,
            Packets = report?.Status,
            Roles = _failover?.Roles,
            Unsaved = _inForce.Unsaved,
            VirtualServers = StatusReader.Read(snapshot, report, _traffic.Rates, _states.Book),
        };
    }

    private (ImmutableArray<StateProgress>, ApiError?) Progress(string name) => _states.Progress(name, _packets?.Answers);

    private HaAnswers? Ha() => _failover is { } failover && _handover is { } desk
        ? new(async () => WithDrains((await failover.StatusAsync()).WithChannels(_channel).WithWarnings(_shared?.Warnings()), desk), new Handover(failover, desk, _time).RunAsync)
        : null;

    private ConfigurationAnswers? Configuration() => _shared is { } shared
        ? new(shared.Report, shared.DifferenceAsync, mine => SayAsync(mine ? shared.TakeMineAsync() : shared.TakeTheirsAsync()), number => SayAsync(shared.RollBackAsync(number)))
        : null;

    private static HaStatus WithDrains(HaStatus status, HandoverDesk desk) => status with
    {
        Warnings = [.. status.Warnings, .. desk.Draining.Select(d => $"{d.Instance.Name} was handed over; connections of it that are open here yet: {d.Open}")],
    };

    /// <summary>Accepts nothing new, lets what is open finish for as long as the file allows, and closes everything.</summary>
    public async Task StopAsync()
    {
        lock (_changing)
            _isStopping = true;

        _notifier.Tell(new(NotificationType.Director, StateChannel.NodeOf(Current.Configuration), "stopping", "it was told to", _time.GetUtcNow()));
        TimeSpan patience = Current.Configuration.ShutdownTimeout;
        await LeaveAsync(); // the other director serves from here on
        Log.Stopping(_log, Current.VirtualServers.Sum(v => v.Counters.Sum(c => c.OpenConnections)), patience.TotalSeconds);
        await _follower!.DisposeAsync();
        await _proxy.StopAsync(patience);
        _sessionFile.Leave();
        if (_shared is not null)
            await _shared.DisposeAsync();
        if (_channel is not null)
            await _channel.DisposeAsync(); // until here what those who finish leave behind has followed
        await _traffic.StopAsync();
        await _weights.StopAsync();
        await _health.StopAsync();
        if (_packets is not null)
            await _packets.DisposeAsync();
        await _notifier.DisposeAsync();
        await _admin!.DisposeAsync();
        Log.Stopped(_log);
    }

    /// <summary>What follows to the peers.</summary>
    private IEnumerable<IReplicatedState> States() => [new ReplicatedSessions(() => Current), new ReplicatedStates(_states.Book, Learned), .. _packets?.ReplicatedStates ?? []];

    // From the moment that the failover thread took an address, or gave it up, to the moment that all engines know.
    private void Follow(RoleSet roles)
    {
        lock (_changing)
        {
            IReadOnlyList<ListenProblem> problems = _proxy.Follow(Current, roles);
            _packets?.Apply(Current, PacketRoles(roles));
            _health.Apply(Current, roles);
            foreach (ListenProblem problem in problems)
                Log.CannotListen(_log, Sentence(problem));
        }
    }

    // Packets that still come here while the others learn whom to send to are served as they were.
    private RoleSet PacketRoles(RoleSet roles) => roles.ServingToo(_handover?.Draining.Select(d => d.Instance) ?? []);

    private HandoverDesk DeskOf(VrrpEngine failover, ILoggerFactory loggers)
    {
        HandoverDesk desk = new(failover, _roles, new BootTime(), loggers.CreateLogger<HandoverDesk>());
        desk.DrainingChanged += () => Follow(_roles.Current);
        desk.TimeIsOver += _proxy.CutOffResting;
        return desk;
    }

    private async Task LeaveAsync()
    {
        if (_failover is null || _handover is null)
            return;
        Log.HandingOver(_log);
        await _handover.HandOverAsync(instance: null);
        await _handover.DrainedAsync();
        await _handover.DisposeAsync();
        await _failover.DisposeAsync();
    }

    private IEnumerable<string> ClaimDatapath() => _packets?.Claim() is { } taken ? [taken] : [];

    // Without it the proxy's virtual servers are served all the same.
    private async Task StartDatapathAsync()
    {
        if (_packets is not null && await _packets.StartAsync() is { } why)
            Log.DatapathNotAvailable(_log, why);
        if (_packets is null && Detachment.IsNeeded(PacketSettings.UsualStateFolder))
            Log.DatapathIsLeft(_log, PacketSettings.UsualStateFolder);
    }

    // Last, so that it takes no address for which nobody here would answer.
    private async Task<string?> StartFailoverAsync()
    {
        try
        {
            if (_failover is null || _handover is null)
                return null;
            await _failover.StartAsync();
            await _handover.CleanAsync(); // not before: another Bascule here would lose its handover to one that may not start
            _handover.Start();
            return null;
        }
        catch (KernelException e)
        {
            string hint = e.Errno == Errno.AddressInUse ? "another Bascule runs here: stop it, or give one of the two another `ha.port`" : "failover needs netlink; is this a container without a network of its own?";
            return $"ha: {e.Message} ({hint})";
        }
    }

    // A real server may be asked once for several virtual servers.
    private void Tell(HealthRecord record)
    {
        Snapshot snapshot = Current;
        foreach (Place place in snapshot.PlacesOf(record))
        {
            LiveVirtualServer virtualServer = snapshot.VirtualServers[place.VirtualServer];
            // By its own name, which without a port is not where it was asked.
            string name = $"{virtualServer.Configured.Name}/{StatusReader.AddressText(virtualServer.RealServers[place.RealServer].Address)}";
            _notifier.Tell(new(NotificationType.RealServer, name, record.IsUp ? "up" : "down", record.Last?.Why ?? "", record.LastAt));
        }
    }

    private void TellOfState(Notification change)
    {
        _weights.Wake();
        _notifier.Tell(change);
    }

    private void Tell(WeightChange change)
    {
        string virtualServer = change.VirtualServer.Configured.Name;
        switch (change.Kind)
        {
            case WeightChangeKind.Ejected:
                Log.Ejected(_log, change.RealServer!.Address, virtualServer, change.Length.TotalSeconds, change.Why);
                TellOf(change.RealServer, "ejected");
                break;
            case WeightChangeKind.Readmitted:
                Log.Readmitted(_log, change.RealServer!.Address, virtualServer, change.Why);
                TellOf(change.RealServer, change.RealServer.IsUp ? "up" : "down");
                break;
            case WeightChangeKind.QuorumGained:
                Log.QuorumGained(_log, virtualServer, change.Why);
                TellOfAll("up");
                break;
            case WeightChangeKind.QuorumLost:
                Log.QuorumLost(_log, virtualServer, change.Why);
                TellOfAll("down");
                break;
            case WeightChangeKind.ServingChanged:
                Log.ServingChanged(_log, virtualServer, change.Why);
                TellOfAll(change.VirtualServer.Standing.Serving.ToString().ToLowerInvariant());
                break;
        }

        void TellOfAll(string state) => _notifier.Tell(new(NotificationType.VirtualServer, virtualServer, state, change.Why, change.At));

        void TellOf(LiveRealServer realServer, string state) =>
            _notifier.Tell(new(NotificationType.RealServer, $"{virtualServer}/{StatusReader.AddressText(realServer.Address)}", state, change.Why, change.At));
    }

    private void Learned(StateOrder order)
    {
        _weights.Wake();
        _states.Learned(order);
    }

    /// <summary>Programs for a quorum are told as everybody else is: in order, once, and nobody waits for them.</summary>
    private static IReadOnlyCollection<Receiver> ReceiversOf(Configuration configuration) =>
    [
        .. configuration.Notify,
        .. configuration.VirtualServers.Where(v => v.Quorum is { OnUp: not null } or { OnDown: not null }).Select(v => new Receiver
        {
            Name = $"quorum of {v.Name}",
            Way = new QuorumWay(v.Name, v.Quorum!.OnUp, v.Quorum.OnDown),
            On = [NotificationType.VirtualServer],
            Timeout = QuorumPatience,
        }),
    ];

    private static Notifier NotifierOf(Configuration configuration, TimeProvider time, ILoggerFactory loggers) => new(StateChannel.NodeOf(configuration), time, loggers);

    private static int WorkersOf(Configuration configuration) => configuration.Workers ?? Environment.ProcessorCount;

    private static string Sentence(ListenProblem problem) => $"{problem.VirtualServer}: {problem.What} ({problem.Hint})";
}
