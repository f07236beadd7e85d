using System.Runtime.InteropServices;
using Bascule.Packets.Xdp;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>Everything the datapath remembers, as text that two moments can be compared by.</summary>
internal static class State
{
    public static string Of(Datapath datapath) => string.Join('\n',
        Table<Tuple4, Flow>(datapath, "flows4"), Table<Tuple6, Flow>(datapath, "flows6"),
        Table<Tuple4, Flow>(datapath, "half_open4"), Table<Tuple6, Flow>(datapath, "half_open6"),
        Table<Tuple4, Reply4>(datapath, "replies4"), Table<Tuple6, Reply6>(datapath, "replies6"),
        Table<Tuple4, Reply4>(datapath, "half_open_replies4"), Table<Tuple6, Reply6>(datapath, "half_open_replies6"),
        Table<Client, Session>(datapath, "sessions"), Table<Client, Session>(datapath, "half_open_sessions"),
        Table<LocalityKey, Locality>(datapath, "localities"), Table<Fragment, FragmentPorts>(datapath, "fragments"),
        Table<uint, ulong>(datapath, "turns"), Table<uint, Load>(datapath, "loads"),
        Table<uint, Marks>(datapath, "sources_known"), Table<uint, Marks>(datapath, "sources_tried"),
        Table<uint, SketchCell>(datapath, "sketch"), Table<ProbeAnswer, Address>(datapath, "probe_answers"));

    // Only what is not all zero: arrays are full of it.
    private static string Table<TKey, TValue>(Datapath datapath, string name)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        IEnumerable<string> lines = datapath.Map<TKey, TValue>(name).Entries()
            .Where(entry => Bytes(entry.Value).ContainsAnyExcept((byte)0))
            .Select(entry => $"{name} {Convert.ToHexString(Bytes(entry.Key))} {Convert.ToHexString(Bytes(entry.Value))}")
            .Order(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }

    private static ReadOnlySpan<byte> Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new[] { value }.AsSpan());
}
