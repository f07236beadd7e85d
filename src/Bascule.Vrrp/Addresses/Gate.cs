using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;
using Bascule.Linux.Process;

namespace Bascule.Vrrp.Addresses;

/// <summary>
/// A second lease on the addresses, finer than a second: nftables drops what is sent to them, and what this machine says of them in ARP and
/// neighbour discovery, unless it was told within the gate's time that we are well. Also what <c>accept: false</c> drops. The rules are
/// made by the <c>nft</c> program, off the failover thread; opening, refreshing and closing is one request to the kernel and allocates nothing.
/// </summary>
/// <remarks>
/// What the XDP datapath forwards does not come by here. The kernel lets one program at a time change its nftables: while somebody else loads
/// a large ruleset, a refresh waits.
/// </remarks>
/// <exception cref="KernelException">There is no nfnetlink here.</exception>
internal sealed class Gate(HaInstance instance) : IDisposable
{
    private static readonly string[] Programs = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly NftSet? _all = SetOf(instance, GateRules.Keys);
    private readonly NftSet? _neighbours = SetOf(instance, GateRules.NeighbourKeys);
    private readonly NftSet? _packets = SetOf(instance, GateRules.PacketKeys);
    private bool _isDraining;

    /// <summary>When <see cref="Refresh"/> must be called; <see cref="TimeSpan.MaxValue"/>: not at all.</summary>
    public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Why it could not be opened, refreshed or closed the last time. ENOENT: the rules are not there.</summary>
    public Errno Error { get; private set; }

    /// <summary>Makes the rules; the gate is closed. Not on the failover thread.</summary>
    /// <returns>What is wrong, as a sentence: then the addresses have no gate. Null: nothing.</returns>
    public async Task<string?> SetUpAsync(TimeProvider time, CancellationToken cancellation)
    {
        if (!GateRules.AreNeeded(instance))
            return null;
        ProgramResult result = await RunAsync([GateRules.Make(instance)], time, cancellation);
        return result.IsSuccess ? null : $"the nftables rules of instance {instance.Name} could not be made: {result.Output}";
    }

    /// <summary>Removes the rules. Not on the failover thread.</summary>
    public async Task RemoveAsync(TimeProvider time, CancellationToken cancellation)
    {
        if (GateRules.AreNeeded(instance))
            await RunAsync([GateRules.Remove(instance)], time, cancellation);
    }

    /// <summary>Removes the rules of all instances, as a former life may have left them: before the first <see cref="SetUpAsync"/>. Without nft there are none.</summary>
    public static async Task RemoveAllAsync(TimeProvider time, CancellationToken cancellation)
    {
        ProgramResult tables = await RunAsync(["list", "tables"], time, cancellation);
        if (!tables.IsSuccess)
            return;
        string script = GateRules.RemoveAll(tables.Output);
        if (script.Length > 0)
            await RunAsync([script], time, cancellation);
    }

    /// <summary>We have the addresses.</summary>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public void Open(TimeSpan now)
    {
        _isDraining = false;
        Refresh(now);
    }

    /// <summary>
    /// Another director has them, and passes packets of connections that are open here on to us: those are let in, ARP is not. Neighbour discovery
    /// is let in as well; it answers for addresses of the interface alone, and there they are no more.
    /// </summary>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public void Drain(TimeSpan now)
    {
        if (_neighbours is null)
            return;
        _isDraining = true;
        Errno closed = _neighbours.Remove();
        Refresh(now);
        Error = Error == Errno.None ? closed : Error;
    }

    /// <summary>All is as it was when it was opened, or began to drain.</summary>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public void Refresh(TimeSpan now)
    {
        if ((_isDraining ? _packets : _all) is not { } set || instance.Gate is not { } gate)
            return;
        Due = now + (gate / 3);
        Error = set.Put();
    }

    /// <summary>We have them no more.</summary>
    /// <exception cref="KernelException">The kernel did not take the request.</exception>
    public void Close()
    {
        if (_all is null)
            return;
        Due = TimeSpan.MaxValue;
        Error = _all.Remove();
    }

    /// <summary>Closes the sockets; the gate closes by itself.</summary>
    public void Dispose()
    {
        _all?.Dispose();
        _neighbours?.Dispose();
        _packets?.Dispose();
    }

    private static NftSet? SetOf(HaInstance instance, byte[][] keys) =>
        instance.Gate is { } gate ? new(GateRules.TableOf(instance), GateRules.Set, keys, gate) : null;

    private static Task<ProgramResult> RunAsync(IEnumerable<string> words, TimeProvider time, CancellationToken cancellation) =>
        ExternalProgram.RunAsync([Array.Find(Programs, File.Exists) ?? Programs[0], .. words], new Dictionary<string, string>(), Patience, time, cancellation);
}
