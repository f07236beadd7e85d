using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Linux.Sockets;
using Microsoft.Extensions.Logging;

namespace Bascule.Proxy;

/// <summary>Why a virtual server cannot listen on its address.</summary>
/// <param name="VirtualServer">Its name.</param>
/// <param name="Address">The address.</param>
/// <param name="What">What is wrong, as a sentence.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record ListenProblem(string VirtualServer, IPEndPoint Address, string What, string Hint);

/// <summary>
/// The user-space data plane: carries the connections of every virtual server of the snapshot that is not on the packet datapath. The control plane calls it from one thread at a
/// time, in the order <see cref="Prepare"/>, <see cref="Start"/>, then <see cref="Prepare"/> and <see cref="Apply"/> for each reload, <see cref="Follow"/> for
/// each change of roles, and <see cref="StopAsync"/>.
/// </summary>
public sealed class ProxyEngine
{
    /// <summary>Connections that wait to be accepted, per worker; the kernel caps it at net.core.somaxconn (4096 by default since Linux 5.4).</summary>
    internal const int Backlog = 4096;

    /// <summary>No turn of a worker takes as long; one that does not come back is no reason to hang too.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(2);

    private readonly Worker[] _workers;
    private readonly TimeProvider _time;
    private readonly Snapshot _first;
    private readonly ReturnPaths _returnPaths;
    private readonly HashSet<ListenKey> _listening = [];
    private HashSet<(int Port, bool IsUdp)> _portsListenedOn = [];
    private Dictionary<ListenKey, ListenSocket[]> _prepared = [];
    private RoleSet _roles = RoleSet.Alone;
    private Task _applied = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Makes the workers; opens nothing and starts nothing yet.</summary>
    public ProxyEngine(Snapshot first, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        _first = first;
        _time = time;
        ILogger logger = loggers.CreateLogger<ProxyEngine>();
        _returnPaths = new(logger);
        _workers = [.. Enumerable.Range(0, first.Workers).Select(i => new Worker(i, first.Configuration.Limits, time, new Random(random.Next()), logger))];
    }

    internal IReadOnlyList<Worker> Workers => _workers;

    /// <summary>
    /// Opens the listeners that <paramref name="next"/> needs for <paramref name="roles"/> and this engine does not have yet: also on addresses that this
    /// director may only have later. Nothing changes for clients. Waits until the
    /// workers have done what the last <see cref="Apply"/> asked: an address that was given up may be wanted again.
    /// </summary>
    /// <returns>Empty on success. Otherwise none has been opened, and every reason is told.</returns>
    public IReadOnlyList<ListenProblem> Prepare(Snapshot next, RoleSet roles)
    {
        List<ListenProblem> problems = [.. OpenMissing(next, roles), .. RefuseTransparent(next)];
        if (problems.Count > 0)
            DropPrepared();
        return problems;
    }

    /// <summary>
    /// Other addresses are ours: opens and closes listeners, and has connections of addresses that are another director's end. A role cannot be
    /// refused, so what can be opened is, and the others are tried again the next time.
    /// </summary>
    /// <param name="current">The snapshot that was applied last.</param>
    /// <returns>Why addresses are not listened on; empty when all are.</returns>
    public IReadOnlyList<ListenProblem> Follow(Snapshot current, RoleSet roles)
    {
        List<ListenProblem> problems = OpenMissing(current, roles);
        Apply(current);
        return problems;
    }

    /// <summary>Cuts off connections that are still open on addresses that are another director's.</summary>
    public void CutOffResting()
    {
        foreach (Worker worker in _workers)
            worker.PostCutResting();
    }

    private List<ListenProblem> OpenMissing(Snapshot next, RoleSet roles)
    {
        // A listener that the last reload took away may still be open for the turn that its worker is in; we would find ourselves.
        _applied.Wait(LongestTurn);
        DropPrepared();
        _roles = roles;
        HashSet<IPAddress> moving = [.. next.Configuration.Ha?.Instances.SelectMany(i => i.Addresses).Select(a => a.Address) ?? []];
        _portsListenedOn = [.. _listening.Select(l => (l.Address.Port, l.IsUdp))];
        List<ListenProblem> problems = [];
        foreach ((VirtualServer configured, ListenKey key) in ListenedOn(next).Where(l => !_listening.Contains(l.Key)))
        {
            if (OpenForEveryWorker(key, anywhere: moving.Contains(key.Address.Address), out Errno error) is { } sockets)
                _prepared.Add(key, sockets);
            else
                problems.Add(Explain(configured, key, error));
        }

        return problems;
    }

    /// <summary>Starts the workers. After a successful <see cref="Prepare"/> of the first snapshot.</summary>
    public void Start()
    {
        _isStarted = true;
        Apply(_first);
        foreach (Worker worker in _workers)
            worker.Start();
    }

    /// <summary>Makes the snapshot the world of every worker. After a successful <see cref="Prepare"/> of it.</summary>
    public void Apply(Snapshot next)
    {
        _returnPaths.Apply(next);
        _applied = Task.WhenAll(_workers.Select((worker, i) => worker.PostApply(next, _roles, _prepared.ToDictionary(p => p.Key, p => p.Value[i]))).ToArray());
        _listening.UnionWith(_prepared.Keys);
        _listening.IntersectWith(ListenedOn(next).Select(l => l.Key));
        _prepared = [];
    }

    /// <summary>
    /// Accepts no more, lets what is under way finish for at most <paramref name="patience"/>, then cuts it off. An engine that was never
    /// started gives back what it holds.
    /// </summary>
    public async Task StopAsync(TimeSpan patience)
    {
        DropPrepared();
        if (!_isStarted)
        {
            foreach (Worker worker in _workers)
                worker.Loop.Dispose();
            return;
        }

        foreach (Worker worker in _workers)
            worker.PostDrain();
        Task ended = Task.WhenAll(_workers.Select(w => w.Ended));
        using CancellationTokenSource drained = new();
        Task patienceEnded = Task.Delay(patience, _time, drained.Token);
        if (await Task.WhenAny(ended, patienceEnded) == patienceEnded)
        {
            foreach (Worker worker in _workers)
                worker.PostCut();
        }

        await drained.CancelAsync();
        await ended;
        _returnPaths.Remove();
    }

    private static IEnumerable<ListenProblem> RefuseTransparent(Snapshot next)
    {
        if (next.Proxied.Select(v => v.Configured).FirstOrDefault(v => v.IsTransparent) is { } first && TcpSocket.MayComeFromAnywhere() == Errno.NotPermitted)
            yield return new(first.Name, first.Address, "not permitted to connect from clients' addresses (`transparent`)", "run as root, or grant CAP_NET_ADMIN, or leave `transparent` out");
    }

    private static ListenProblem Explain(VirtualServer virtualServer, ListenKey key, Errno error)
    {
        IPEndPoint address = key.Address;
        (string what, string hint) = error switch
        {
            Errno.AddressInUse => ($"another program already listens on {address}", $"find it with `ss -l{(key.IsUdp ? 'u' : 't')}np 'sport = :{address.Port}'` and stop it, or choose another port"),
            Errno.AccessDenied => ($"not permitted to listen on port {address.Port}", "run as root, or grant CAP_NET_BIND_SERVICE, or choose a port from 1024"),
            Errno.AddressNotAvailable => ($"{address.Address} is not an address of this machine", $"add it to an interface (`ip address add`), or allow foreign addresses with `sysctl net.ipv{(address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6)}.ip_nonlocal_bind=1`"),
            Errno.TooManyFiles or Errno.TooManyFilesInSystem => ("no file descriptor left to listen with", "raise the limit of open files (`ulimit -n`, LimitNOFILE=)"),
            _ => ($"cannot listen on {address}: {new KernelException("bind", error).Message}", "see bind(2)"),
        };
        return new(virtualServer.Name, address, what, hint);
    }

    private ListenSocket[]? OpenForEveryWorker(ListenKey key, bool anywhere, out Errno error)
    {
        if (IsTakenByAnother(key, anywhere, out error))
            return null;
        List<ListenSocket> sockets = [];
        foreach (Worker _ in _workers)
        {
            if (Open(key, shared: true, anywhere, out error) is { } socket)
                sockets.Add(socket);
            else
                break;
        }

        if (sockets.Count == _workers.Length)
            return [.. sockets];
        foreach (ListenSocket socket in sockets)
            socket.Dispose();
        return null;
    }

    private static ListenSocket? Open(ListenKey key, bool shared, bool anywhere, out Errno error) => key.IsUdp
        ? UdpListenSocket.Open(key.Address, shared, anywhere, out error)
        : TcpListenSocket.Open(key.Address, Backlog, shared, anywhere, out error);

    // Workers share an address, so the kernel would also let another Bascule of the same user share it, and each would get half
    // of the clients. Asking once without sharing finds it. Not while we listen on that port ourselves: we would find us.
    private bool IsTakenByAnother(ListenKey key, bool anywhere, out Errno error)
    {
        error = Errno.None;
        if (_portsListenedOn.Contains((key.Address.Port, key.IsUdp)))
            return false;
        using ListenSocket? probe = Open(key, shared: false, anywhere, out error);
        return probe is null;
    }

    private IEnumerable<(VirtualServer VirtualServer, ListenKey Key)> ListenedOn(Snapshot snapshot) =>
        from virtualServer in snapshot.Proxied.Select(v => v.Configured)
        from place in virtualServer.Addresses.Where(a => _roles.Listens(a.Ip))
        from key in ListenKey.Of(virtualServer, place)
        select (virtualServer, key);

    /// <summary>Closes what <see cref="Prepare"/> has opened, where it was only to be known whether that can be done.</summary>
    public void DropPrepared()
    {
        foreach (ListenSocket socket in _prepared.Values.SelectMany(s => s))
            socket.Dispose();
        _prepared = [];
    }
}
