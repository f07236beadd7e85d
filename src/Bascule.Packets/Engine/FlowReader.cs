using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Packets.Xdp;
using VirtualServer = Bascule.Packets.Xdp.VirtualServer;

namespace Bascule.Packets.Engine;

/// <summary>Recorded flows and remembered clients, with the names people know them by. Made on the engine's thread; then any thread may read.</summary>
internal sealed class FlowReader
{
    private readonly DatapathMaps _maps;
    private readonly ImmutableDictionary<ushort, VirtualServer> _settings; // by real server
    private readonly ImmutableDictionary<ushort, (string VirtualServer, IPEndPoint RealServer)> _names;
    private readonly Ticks _now;

    public FlowReader(DatapathEngine engine)
    {
        _maps = engine.Maps;
        _now = engine.Ticks;
        _names = engine.Snapshot.OnDatapath
            .SelectMany(v => v.RealServers.Append(v.SorryServer).OfType<LiveRealServer>().Select(r => (v.Configured.Name, r)))
            .Where(pair => engine.Planner.Ids.ContainsKey(pair.r))
            .DistinctBy(pair => engine.Planner.Ids[pair.r])
            .ToImmutableDictionary(pair => engine.Planner.Ids[pair.r], pair => (pair.Name, pair.r.Address));
        _settings = engine.Planner.Current.RealServers
            .Where(pair => engine.Planner.Current.VirtualServers.ContainsKey(pair.Value.VirtualServer))
            .ToImmutableDictionary(pair => pair.Key, pair => engine.Planner.Current.VirtualServers[pair.Value.VirtualServer].Entry);
        VirtualServerNames = engine.Snapshot.OnDatapath
            .Select(v => (v.Configured.Name, Id: engine.VirtualServerId(v)))
            .Where(pair => pair.Id is not null)
            .ToImmutableDictionary(pair => pair.Id!.Value, pair => pair.Name);
    }

    /// <summary>By id.</summary>
    public ImmutableDictionary<ushort, string> VirtualServerNames { get; }

    /// <summary>Flows that fit the question, those that wait to be confirmed included.</summary>
    public IEnumerable<ConnectionEntry> Connections(ConnectionQuestion question) =>
        _maps.Flows4.Entries().Concat(_maps.HalfOpen4.Entries()).Select(pair => (Key: new Ends(pair.Key), pair.Value))
            .Concat(_maps.Flows6.Entries().Concat(_maps.HalfOpen6.Entries()).Select(pair => (Key: new Ends(pair.Key), pair.Value)))
            .Where(pair => Fits(pair.Value, question))
            .Select(pair => Read(pair.Key, pair.Value))
            .Take(question.Most);

    /// <summary>How many clients each real server is remembered for.</summary>
    public ImmutableArray<SessionCount> Sessions() =>
    [
        .. _maps.Sessions.Entries().GroupBy(pair => pair.Value.RealServer)
            .Where(group => _names.ContainsKey(group.Key))
            .Select(group => new SessionCount(_names[group.Key].VirtualServer, StatusReader.AddressText(_names[group.Key].RealServer), group.LongCount())),
    ];

    private bool Fits(Flow flow, ConnectionQuestion question)
    {
        if (question.VirtualServer is null && question.RealServer is null)
            return true;
        return _names.TryGetValue(flow.RealServer, out (string VirtualServer, IPEndPoint RealServer) name)
            && (question.VirtualServer is null || question.VirtualServer == name.VirtualServer)
            && (question.RealServer is null || question.RealServer.Equals(name.RealServer));
    }

    private ConnectionEntry Read(Ends ends, Flow flow)
    {
        bool isKnown = _names.TryGetValue(flow.RealServer, out (string VirtualServer, IPEndPoint RealServer) name);
        int patience = _settings.TryGetValue(flow.RealServer, out VirtualServer settings) ? FlowStates.Patience(flow.State, settings) : 0;
        return new()
        {
            Protocol = ends.Protocol == (byte)ProtocolType.Udp ? "udp" : "tcp",
            State = FlowStates.NameOf(flow.State),
            ExpiresIn = int.Max(0, patience - (int)flow.Seen.AgeAt(_now).TotalSeconds),
            Client = StatusReader.AddressText(ends.Client),
            VirtualAddress = StatusReader.AddressText(ends.Virtual),
            VirtualServer = isKnown ? name.VirtualServer : VirtualServerNames.GetValueOrDefault(flow.VirtualServer, "(removed)"),
            RealServer = isKnown ? StatusReader.AddressText(name.RealServer) : null,
        };
    }

    /// <summary>Who talks to whom.</summary>
    private readonly record struct Ends(IPEndPoint Client, IPEndPoint Virtual, byte Protocol)
    {
        public Ends(Tuple4 key)
            : this(new(key.Source.ToAddress(), key.SourcePort.Value), new(key.Destination.ToAddress(), key.DestinationPort.Value), key.Protocol)
        {
        }

        public Ends(Tuple6 key)
            : this(new(key.Source.ToAddress(AddressFamily.InterNetworkV6), key.SourcePort.Value),
                new(key.Destination.ToAddress(AddressFamily.InterNetworkV6), key.DestinationPort.Value), key.Protocol)
        {
        }
    }
}
