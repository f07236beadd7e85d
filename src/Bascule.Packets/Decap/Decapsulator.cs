using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Packets.Decap;

/// <summary>
/// The small datapath of a real server behind a tunnel (<c>bpf/decap.bpf.c</c>), attached for as long as this is not disposed of. Used by one thread.
/// </summary>
public sealed class Decapsulator : IDisposable
{
    private readonly List<BpfLink> _links = [];
    private readonly List<PerProcessorMap<uint, ulong>> _counts = [];

    private Decapsulator()
    {
    }

    /// <summary>Where on each interface it was attached, as a sentence for a log.</summary>
    public string Places { get; private set; } = "";

    /// <summary>Loads the program and attaches it to each interface.</summary>
    /// <exception cref="BpfException">It is not in this program, the kernel refused it, or an interface does not take it; the message says why.</exception>
    /// <exception cref="KernelException">A map could not be written.</exception>
    public static Decapsulator Attach(DecapSettings settings)
    {
        Decapsulator decapsulator = new();
        try
        {
            decapsulator.Places = string.Join(", ", settings.Interfaces.Select(name => $"{name} ({decapsulator.AttachTo(name, settings)})"));
            return decapsulator;
        }
        catch
        {
            decapsulator.Dispose();
            throw;
        }
    }

    /// <summary>The addresses of these interfaces: where tunnels end unless it is said.</summary>
    public static IEnumerable<IPAddress> AddressesOf(IEnumerable<string> interfaces) =>
        NetworkInterface.GetAllNetworkInterfaces().Where(found => interfaces.Contains(found.Name))
            .SelectMany(found => found.GetIPProperties().UnicastAddresses).Select(entry => entry.Address).Where(address => !address.IsIPv6LinkLocal);

    /// <summary>Packets so far.</summary>
    public ulong Count(DecapCount what) =>
        _counts.Aggregate(0UL, (sum, map) => sum + map.Get((uint)what).Aggregate(0UL, (all, one) => all + one));

    /// <summary>Detaches. Packets in tunnels are from then on the system's own business.</summary>
    public void Dispose()
    {
        _links.ForEach(link => link.Dispose());
        _counts.ForEach(map => map.Dispose());
        _links.Clear();
        _counts.Clear();
    }

    private AttachPoint AttachTo(string name, DecapSettings settings)
    {
        int index = IndexOf(name);
        List<string> refusals = [];
        foreach (AttachPoint point in Points(settings.Attach))
        {
            using BpfObject loaded = Load(point == AttachPoint.TcxIngress ? DatapathObject.DecapTcx : DatapathObject.DecapXdp, settings);
            using BpfProgram program = loaded.Program("bascule_decap");
            if (BpfLink.TryAttach(program, index, point, out Errno error) is { } link)
            {
                _links.Add(link);
                _counts.Add(loaded.PerProcessorMap<uint, ulong>("decap_counts"));
                return point;
            }

            refusals.Add($"{point}: {Reason(error)}");
        }

        throw new BpfException($"{name} does not take the program ({string.Join("; ", refusals)})");
    }

    private static AttachPoint[] Points(AttachMode mode) => mode switch
    {
        AttachMode.Auto => [AttachPoint.XdpNative, AttachPoint.XdpGeneric, AttachPoint.TcxIngress],
        AttachMode.Native => [AttachPoint.XdpNative],
        AttachMode.Generic => [AttachPoint.XdpGeneric],
        AttachMode.Tcx => [AttachPoint.TcxIngress],
    };

    private static string Reason(Errno error) =>
        error == Errno.Busy ? "another program has the place, see `ip link` or `bpftool net`" : $"{error}";

    private static BpfObject Load(string name, DecapSettings settings)
    {
        BpfObject opened = DatapathObject.Open(name);
        try
        {
            opened.SetConstant("gue_port", (Wire16)(ushort)settings.GuePort);
            opened.Load();
            Fill(opened, "decap_ends", settings.Ends);
            Fill(opened, "decap_served", settings.VirtualAddresses);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static void Fill(BpfObject loaded, string map, IEnumerable<IPAddress> addresses)
    {
        using BpfMap<DecapAddress, uint> filled = loaded.Map<DecapAddress, uint>(map);
        foreach (IPAddress address in addresses)
            filled.Set(new() { Address = Address.Of(address), Family = address.AddressFamily == AddressFamily.InterNetwork ? 4u : 6u }, 1);
    }

    private static int IndexOf(string name) =>
        NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(found => found.Name == name)?.GetIPProperties().GetIPv4Properties().Index
        ?? throw new BpfException($"there is no interface {name}; `ip link` lists them");
}
