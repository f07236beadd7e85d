using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Frames;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;
using Bascule.Packets.Xdp;
using Microsoft.Extensions.Logging;
using Explanation = Bascule.Core.Api.Explanation;

namespace Bascule.Packets.Engine;

/// <summary>
/// Keeps the datapath in step: with the snapshot, with who is well, with the ways to the real servers. Everything here happens on one thread,
/// <see cref="PacketEngine"/>'s.
/// </summary>
internal sealed class DatapathEngine : IDisposable
{
    private readonly PacketSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StateFolder _folder;
    private readonly Datapath _datapath;
    private readonly Ways _ways;
    private readonly CheckPath _checkPath;
    private readonly Planner _planner = new();
    private readonly MapWriter _writer;
    private readonly BpfProgram _sweep;
    private readonly Dictionary<string, BpfObject> _loaded = [];
    private readonly Dictionary<string, AttachmentStatus> _attachments = [];
    private readonly HashSet<System.Net.IPAddress> _saidNotOurs = [];
    private Switches _switches;
    private Explainer? _explainer;
    private PacketPlan _written;
    private RoleSet _roles;
    private List<(bool IsUp, bool KeepsConnections, int Weight, bool IsStandby, Serving Serving)> _wellness = [];
    private bool _isNew = true;

    private DatapathEngine(PacketSettings settings, Snapshot snapshot, RoleSet roles, HaSettings? pair, TimeProvider time, ILogger logger, StateFolder folder)
    {
        (_settings, _time, _logger, _folder) = (settings, time, logger, folder);
        (Snapshot, _roles) = (snapshot, roles);
        _datapath = Datapath.Open(folder, settings);
        if (_datapath.Note is { } note)
            Log.Note(logger, note);
        _switches = Switches.For(snapshot.OnDatapath, settings) with { Tells = pair is { Peers.Count: > 0 } };
        LoadedFor(AttachPoint.XdpNative); // makes the maps
        _writer = new(_datapath.Maps);
        Maps.Runtime.Set(0, new() { FloodNewFlowsPerSecond = (uint)settings.FloodNewFlowsPerSecond });
        _written = _datapath.IsAdopted ? MapReader.Read(_datapath.Maps) : PacketPlan.Empty;
        if (_datapath.IsAdopted)
        {
            Log.Adopted(logger, folder.Path);
            _planner.Adopt(_written, Now);
        }

        _sweep = LoadedFor(AttachPoint.XdpNative).Program("sweep");
        if (_switches.Tells)
            Replicas = new(pair!.Instances, _datapath.Maps, LoadedFor(AttachPoint.XdpNative), () => Ticks, _datapath.IsAdopted ? null : Ticks);
        _ways = new(time, logger);
        _checkPath = new(folder, _datapath, logger);
        Reporter = new(this);
    }

    /// <summary>The snapshot it works from.</summary>
    public Snapshot Snapshot { get; private set; }

    /// <summary>The maps.</summary>
    public DatapathMaps Maps => _datapath.Maps;

    /// <summary>What was decided.</summary>
    public Planner Planner => _planner;

    /// <summary>Each interface of the configuration.</summary>
    public IReadOnlyCollection<AttachmentStatus> Attachments => _attachments.Values;

    /// <summary>What is known of the ways to the real servers.</summary>
    public Surroundings Surroundings => _ways.Surroundings;

    /// <summary>What it was made with.</summary>
    public PacketSettings Settings => _settings;

    /// <summary>Reads the counters.</summary>
    public Reporter Reporter { get; }

    /// <summary>What the other director keeps as well; null where there is no other.</summary>
    public Replicas? Replicas { get; }

    /// <summary>The datapath's time.</summary>
    public Ticks Ticks => new((uint)((ulong)(Now.Ticks * 100) >> 20));

    private TimeSpan Now => _time.GetElapsedTime(0); // CLOCK_MONOTONIC, as the datapath's

    /// <summary>Opens or adopts everything, writes the maps, and only then attaches: the first packet finds what is complete.</summary>
    /// <exception cref="BpfException">Nothing can be served: a sentence.</exception>
    public static DatapathEngine Start(PacketSettings settings, Snapshot snapshot, RoleSet roles, HaSettings? pair, TimeProvider time, ILogger logger, StateFolder folder)
    {
        DatapathEngine engine = new(settings, snapshot, roles, pair, time, logger, folder);
        try
        {
            engine.Turn();
            engine.LeaveInterfacesOffTheList();
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Takes another snapshot, or other roles; the next <see cref="Turn"/> puts it into the maps.</summary>
    public void Take(Snapshot snapshot, RoleSet roles)
    {
        (Snapshot, _roles) = (snapshot, roles);
        _isNew = true;
    }

    /// <summary>Looks whether anything changed, and writes the difference.</summary>
    public void Turn()
    {
        List<(bool, bool, int, bool, Serving)> wellness = [.. Snapshot.OnDatapath.SelectMany(v => v.RealServers.Select(r => (r.IsUp, r.KeepsConnections, r.Weight, r.IsStandby, v.Standing.Serving)))];
        bool changed = _ways.Look(Wanted()) || _isNew || !wellness.SequenceEqual(_wellness);
        // What the kernel refused last time is tried again.
        if (!changed && ReferenceEquals(_written, _planner.Current))
            return;

        if (changed)
            Plan(wellness);
        // Also what only a takeover will need: to load a program takes longer than that may.
        Widen(Switches.For(_planner.Current, _settings).Or(Switches.For(Snapshot.OnDatapath, _settings)) with { Tells = _switches.Tells });
        Write(_planner.Current);
        Replicas?.Follow(this);
        foreach (int index in _ways.Interfaces)
            _datapath.Maps.Interfaces.TrySet((uint)index, (uint)index);
        Attach();
        _checkPath.Follow(_attachments.Values, isNeeded: !_planner.Current.ProbeTargets.IsEmpty);
        _checkPath.Assign(Snapshot.OnDatapath, _planner);
        SayWhatIsNotOurs();
    }

    // The datapath takes packets to an address, but nobody answers ARP or neighbour discovery for one that no interface has.
    private void SayWhatIsNotOurs()
    {
        foreach (Core.Model.VirtualServer virtualServer in Snapshot.OnDatapath.Select(v => v.Configured))
        {
            foreach (System.Net.IPAddress address in virtualServer.Addresses.Where(a => _roles.Serves(a.Ip) && !a.IsEveryAddress).Select(a => a.Ip).Distinct())
            {
                if (_ways.Surroundings.Own.Contains(address))
                    _saidNotOurs.Remove(address);
                else if (_saidNotOurs.Add(address))
                    Log.AddressIsNotOurs(_logger, virtualServer.Name, address, address.GetAddressBytes().Length * 8, _settings.Interfaces[0]);
            }
        }
    }

    private void Plan(List<(bool, bool, int, bool, Serving)> wellness)
    {
        (_wellness, _isNew) = (wellness, false);
        _planner.Next(Snapshot.OnDatapath, _ways.Surroundings, _roles, Now);
        foreach (string problem in _planner.Problems)
            Log.Note(_logger, problem);
    }

    /// <summary>Takes out what is over, and lets the plan know. Once a second.</summary>
    public void Sweep()
    {
        ulong none = 0; // the program takes no argument
        _sweep.Call(ref none);
        // One read of all of them, and only when the plan has something that waits for it.
        Lazy<References[]> references = new(() => [.. _datapath.Maps.References.Entries().OrderBy(pair => pair.Key).Select(pair => pair.Value)]);
        Write(_planner.AfterSweep(
            new(id => references.Value[id] is var found && (found.Active | found.Inactive | found.HalfOpen) != 0,
                id => references.Value[id] is var found && (found.Active | found.Inactive | found.HalfOpen | found.Sessions) != 0),
            Now));
    }

    // Also to interfaces that came, or came back under another index.
    private void Attach()
    {
        Attacher attacher = new(_folder, _settings.Attach, point => LoadedFor(point).Program("bascule"));
        foreach (string name in _settings.Interfaces)
        {
            int? found = _ways.IndexOf(name);
            if (_attachments.TryGetValue(name, out AttachmentStatus? before) && before.Point is not null && before.Index == found)
                continue;
            AttachmentStatus status = found is { } index
                ? attacher.Attach(name, index)
                : new(name, 0, null, [$"there is no interface {name}"], IsAdopted: false);
            _attachments[name] = status;
            if (status.Point is { } point)
                Log.Attached(_logger, name, AttachmentStatus.NameOf(point), status.Why);
            else if (before?.Why != status.Why)
                Log.NotAttached(_logger, name, status.Why);
        }
    }

    // An earlier daemon attached there; nobody would ever look after it again.
    private void LeaveInterfacesOffTheList()
    {
        foreach (string name in _folder.DetachAllBut(_settings.Interfaces))
            Log.Note(_logger, $"{name} is not in packets.interfaces any more: the packet datapath was taken off it");
    }

    /// <summary>The virtual server's number; null when it has none.</summary>
    public ushort? VirtualServerId(LiveVirtualServer virtualServer) =>
        _planner.IdOf(EntryForms.ServiceOf(virtualServer.Configured));

    /// <summary>The program that explains, see <see cref="Explainer"/>.</summary>
    public BpfObject LoadExplaining() => _datapath.Load(DatapathObject.Xdp, _switches, explaining: true);

    /// <summary>An interface's index; null when there is none of that name.</summary>
    public int? IndexOf(string name) => _ways.IndexOf(name);

    /// <summary>An interface's name.</summary>
    public string InterfaceName(int index) => _ways.NameOf(index) ?? $"if{index}";

    /// <summary>All interfaces' names.</summary>
    public ImmutableDictionary<int, string> InterfaceNames => _ways.Interfaces.ToImmutableDictionary(index => index, InterfaceName);

    /// <summary>An interface's MAC address; zeros where it has none.</summary>
    public byte[] MacOf(int index) => _ways.MacOf(index) is { Length: 6 } mac ? mac : new byte[6];

    /// <summary>What a packet would meet.</summary>
    /// <exception cref="BpfException">It cannot be asked now.</exception>
    public Explanation Explain(PacketText packet)
    {
        _explainer ??= new(this);
        return _explainer.Explain(packet);
    }

    /// <summary>Has the datapath copy packets of a virtual server, or of none.</summary>
    public void Capture(ushort virtualServer, int oneIn, int bytes)
    {
        Maps.Runtime.Set(0, new()
        {
            CaptureVirtualServer = virtualServer,
            CaptureOneIn = (uint)oneIn,
            CaptureBytes = (uint)bytes,
            FloodNewFlowsPerSecond = (uint)_settings.FloodNewFlowsPerSecond,
        });
        ushort before = _writer.Captured;
        _writer.Captured = virtualServer;
        foreach (ushort id in (ushort[])[before, virtualServer])
        {
            if (_written.VirtualServers.TryGetValue(id, out VirtualServerPlan? plan))
                _writer.Write(new PutVirtualServer(id, plan.Entry));
        }
    }

    /// <summary>Takes the datapath off every interface and forgets what is pinned.</summary>
    public DetachResult Detach()
    {
        IReadOnlyList<string> were = _folder.Detach();
        _attachments.Clear();
        return new([.. were], []);
    }

    /// <summary>Lets go. What is attached stays so.</summary>
    public void Dispose()
    {
        _explainer?.Dispose();
        _checkPath.Dispose();
        _ways.Dispose();
        _sweep.Dispose();
        Replicas?.Dispose();
        foreach (BpfObject loaded in _loaded.Values)
            loaded.Dispose();
        _datapath.Dispose();
    }

    private IEnumerable<System.Net.IPAddress> Wanted() =>
        Snapshot.OnDatapath.SelectMany(v => v.RealServers.Append(v.SorryServer)).OfType<LiveRealServer>().Select(r => r.Address.Address);

    private void Write(PacketPlan plan)
    {
        foreach (MapChange change in PlanDifference.Between(_written, plan))
        {
            if (change is RemoveVirtualServer gone)
                Reporter.GivesUp(gone.Id);
            _writer.Write(change);
        }

        _written = plan;
        Reporter.Follows(plan);
    }

    // More is asked of the program than it was loaded for: load it again and swap it where it is attached, before the maps ask for it.
    private void Widen(Switches needed)
    {
        if (_switches.Cover(needed))
            return;
        _switches = needed;
        Dictionary<string, BpfObject> before = new(_loaded);
        _loaded.Clear();
        _explainer?.Dispose();
        _explainer = null;
        Attacher attacher = new(_folder, _settings.Attach, point => LoadedFor(point).Program("bascule"));
        try
        {
            foreach (AttachmentStatus attached in _attachments.Values)
            {
                if (attached.Point is { } point)
                    attacher.Replace(attached.Interface, point);
            }
        }
        catch
        {
            _switches = new() { Tells = _switches.Tells }; // covers nothing else: the next turn tries again
            throw;
        }
        finally
        {
            foreach (BpfObject old in before.Values)
                old.Dispose();
        }
    }

    private BpfObject LoadedFor(AttachPoint point)
    {
        string name = point is AttachPoint.XdpNative or AttachPoint.XdpGeneric ? DatapathObject.Xdp : DatapathObject.Tcx;
        if (!_loaded.TryGetValue(name, out BpfObject? loaded))
            _loaded[name] = loaded = _datapath.Load(name, _switches);
        return loaded;
    }
}
