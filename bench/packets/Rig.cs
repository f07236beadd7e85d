using Bascule.Linux.Bpf;
using Bascule.Linux.Netlink;
using Bascule.Linux.Process;

namespace Bascule.Bench.Packets;

/// <summary>
/// One cable between two network namespaces that the script has made: the load's end, where frames are made and counted, and the
/// director's end, where what is measured sits. All work happens on one processor.
/// </summary>
internal sealed class Rig : IDisposable
{
    private readonly string _loadNamespace;
    private readonly string _directorNamespace;
    private readonly BpfObject _ends;
    private readonly PerProcessorMap<uint, ulong> _received;
    private BpfLink? _sink;
    private BpfLink? _measured;
    private bool _isFrameSink;

    public Rig(string loadNamespace, string directorNamespace, byte[] ends)
    {
        _loadNamespace = $"/run/netns/{loadNamespace}";
        _directorNamespace = $"/run/netns/{directorNamespace}";
        Load = LinkIn(_loadNamespace, "load");
        Director = LinkIn(_directorNamespace, "director");
        _ends = BpfObject.Open(ends, "load");
        _ends.LeaveOut("generate");
        _ends.Load();
        _received = _ends.PerProcessorMap<uint, ulong>("received");
        Transmit = _ends.Program("transmit");
        UseFrameSink(true);
    }

    /// <summary>The load's end of the cable.</summary>
    public NetworkLink Load { get; }

    /// <summary>The director's end.</summary>
    public NetworkLink Director { get; }

    /// <summary>The program that only sends frames back.</summary>
    public BpfProgram Transmit { get; }

    /// <summary>Frames that have come back so far.</summary>
    public long Received => _received.Get(0).Sum(value => (long)value);

    /// <summary>Bytes of them.</summary>
    public long ReceivedBytes => _received.Get(1).Sum(value => (long)value);

    /// <summary>Puts a program onto the director's end in place of what is there.</summary>
    public void Attach(BpfProgram program, AttachPoint point)
    {
        Detach();
        // Frames come back as frames from native XDP alone; what the stack sends is counted as the stack delivers it.
        UseFrameSink(point == AttachPoint.XdpNative);
        _measured = NetworkNamespace.Run(_directorNamespace, () => BpfLink.Attach(program, Director.Index, point));
    }

    /// <summary>Another program at the same point.</summary>
    public void Replace(BpfProgram program) => _measured!.Update(program);

    /// <summary>Leaves the packets to the kernel.</summary>
    public void LeaveToKernel()
    {
        Detach();
        UseFrameSink(false);
    }

    /// <summary>Runs something on the load's end, on the thread that calls it.</summary>
    public T AtLoad<T>(Func<T> work) => NetworkNamespace.Run(_loadNamespace, work);

    public void Dispose()
    {
        Detach();
        _sink?.Dispose();
        _received.Dispose();
        Transmit.Dispose();
        _ends.Dispose();
    }

    private void Detach()
    {
        _measured?.Dispose();
        _measured = null;
    }

    private void UseFrameSink(bool isFrameSink)
    {
        if (_sink is not null && _isFrameSink == isFrameSink)
            return;
        _sink?.Dispose();
        _isFrameSink = isFrameSink;
        using BpfProgram program = _ends.Program(isFrameSink ? "sink" : "sink_tcx");
        _sink = NetworkNamespace.Run(_loadNamespace, () => BpfLink.Attach(program, Load.Index, isFrameSink ? AttachPoint.XdpNative : AttachPoint.TcxIngress));
    }

    private static NetworkLink LinkIn(string networkNamespace, string name) => NetworkNamespace.Run(networkNamespace, () =>
    {
        using Network network = new();
        return network.FindLink(name) ?? throw new InvalidOperationException($"no interface {name} in {networkNamespace}");
    });
}
