using System.Security.Cryptography;
using System.Text;
using Bascule.Core.Scheduling;
using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Plan;

namespace Bascule.Packets.Xdp;

/// <summary>What a daemon that starts again has to know about the maps it finds: how they are laid out, and the secret by which flows were hashed.</summary>
internal record struct Identity
{
    /// <summary>Of the structs in the maps, see <see cref="FingerprintOf"/>.</summary>
    public ulong Fingerprint;

    /// <summary>Secret of the flow hash.</summary>
    public FlowHashKey HashKey;

    private static readonly string[] Structs =
    [
        "service4", "service6", "virtual_server", "real_server", "slot", "runtime", "load", "tuple4", "tuple6", "flow", "reply4", "reply6",
        "client", "session", "fragment", "fragment_ports", "locality_key", "locality", "traffic",
    ];

    // Not those of counters and explanations: a new reason to drop a packet is no reason to forget flows.
    private static readonly string[] Enumerations = ["scheduler", "hash_kind", "virtual_server_flag", "method", "real_server_flag", "flow_state", "flow_flag", "session_flag"];

    /// <summary>
    /// A number that changes when anything does that the maps' content depends on: names, places and sizes of the fields, values of the
    /// enumerations, as clang wrote them into the object. So nobody has to remember to count a version up.
    /// </summary>
    public static ulong FingerprintOf(BpfTypes types)
    {
        StringBuilder all = new($"{Planner.VirtualServerCapacity} {Planner.RealServerCapacity}");
        foreach (string name in Structs)
        {
            BpfStruct? found = types.FindStruct(name);
            all.Append($"\n{name} {found?.Size}: {string.Join(' ', found?.Fields.Select(field => $"{field.Name}@{field.Offset}+{field.Size}") ?? [])}");
        }

        foreach (string name in Enumerations)
            all.Append($"\n{name}: {string.Join(' ', types.FindEnumeration(name).OrderBy(pair => pair.Value).Select(pair => $"{pair.Key}={pair.Value}"))}");
        return BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }

    /// <summary>What an earlier daemon left; null when there is nothing, or nothing we understand.</summary>
    public static Identity? Read(StateFolder folder)
    {
        if (!File.Exists(folder.Identity))
            return null;
        try
        {
            using BpfMap<uint, Identity> map = BpfMap.OpenPinned<uint, Identity>(folder.Identity);
            return map.TryGet(0, out Identity found) ? found : null;
        }
        catch (Exception e) when (e is BpfException or KernelException)
        {
            return null;
        }
    }

    /// <summary>Leaves it for the next daemon.</summary>
    public readonly void Write(StateFolder folder)
    {
        using BpfMap<uint, Identity> map = BpfMap.Create<uint, Identity>("identity", MapType.Array, 1);
        map.Set(0, this);
        map.Pin(folder.Identity);
    }
}
