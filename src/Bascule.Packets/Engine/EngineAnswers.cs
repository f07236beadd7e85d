using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Api;
using Bascule.Core.Frames;
using Bascule.Linux;
using Bascule.Linux.Bpf;

namespace Bascule.Packets.Engine;

/// <summary>What the API asks of the engine, each question put to its thread.</summary>
internal sealed class EngineAnswers
{
    private readonly PacketEngine _engine;
    private readonly TimeProvider _time;
    private int _captures; // 0 or 1

    public EngineAnswers(PacketEngine engine, TimeProvider time)
    {
        (_engine, _time) = (engine, time);
        Made = new()
        {
            Report = Report,
            Connections = question => Ask(e => new FlowReader(e), otherwise: null)?.Connections(question) ?? [],
            Sessions = () => Ask(e => new FlowReader(e).Sessions(), []),
            Explain = Explain,
            Capture = Capture,
            Detach = Detach,
        };
    }

    /// <summary>The questions.</summary>
    public PacketAnswers Made { get; }

    private PacketReport Report() => Ask(e => e.Reporter.Read(), otherwise: null) ?? new(
        new()
        {
            Interfaces = [.. _engine.Settings.Interfaces.Select(name => new InterfaceStatus { Name = name, Attached = null, Why = _engine.WhyNot ?? "the kernel does not answer" })],
            Flows = 0,
            FlowsAtMost = _engine.Settings.Flows,
            Drops = ImmutableSortedDictionary<Core.Api.DropReason, long>.Empty,
            StateFolder = _engine.Settings.StateFolder,
        },
        ImmutableDictionary<string, PacketTraffic>.Empty);

    private Explanation Explain(PacketText packet) => _engine.AskAsync(e => e.Explain(packet)).GetAwaiter().GetResult();

    private IAsyncEnumerable<CapturedFrame>? Capture(CaptureQuestion question, CancellationToken cancellation)
    {
        if (Interlocked.CompareExchange(ref _captures, 1, 0) != 0)
            return null;
        CaptureReader? reader = Ask(e => Begin(e, question), otherwise: null);
        if (reader is null)
        {
            Volatile.Write(ref _captures, 0);
            return AsyncEnumerable.Empty<CapturedFrame>();
        }

        return reader.ReadAsync(EndCapture, cancellation);
    }

    private CaptureReader? Begin(DatapathEngine engine, CaptureQuestion question)
    {
        if (engine.Snapshot.OnDatapath.FirstOrDefault(v => v.Configured.Name == question.VirtualServer) is not { } virtualServer
            || engine.VirtualServerId(virtualServer) is not { } id)
            return null;
        engine.Capture(id, question.OneIn, question.Bytes);
        ImmutableDictionary<ushort, IPEndPoint> realServers = engine.Planner.Ids
            .DistinctBy(pair => pair.Value).ToImmutableDictionary(pair => pair.Value, pair => pair.Key.Address);
        return new(engine.Maps.Captured, id, _time, engine.InterfaceNames, realServers);
    }

    private void EndCapture()
    {
        Ask<object?>(e =>
        {
            e.Capture(virtualServer: 0, oneIn: 0, bytes: 0);
            return null;
        }, otherwise: null);
        Volatile.Write(ref _captures, 0);
    }

    private DetachResult Detach()
    {
        try
        {
            return _engine.AskAsync(e =>
            {
                DetachResult done = e.Detach();
                _engine.End("it was detached; restart the daemon to attach it again");
                return done;
            }).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is BpfException or KernelException or IOException or TimeoutException)
        {
            return new([], [e.Message]);
        }
    }

    private T Ask<T>(Func<DatapathEngine, T> question, T otherwise)
    {
        try
        {
            return _engine.AskAsync(question).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is BpfException or KernelException or TimeoutException)
        {
            return otherwise;
        }
    }
}
