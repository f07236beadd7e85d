using Bascule.Linux.Bpf;

namespace Bascule.Packets.Xdp;

/// <summary>The compiled programs of the folder <c>bpf</c>, as they are embedded into this library by a build that had clang.</summary>
public static class DatapathObject
{
    /// <summary>The datapath for XDP.</summary>
    public const string Xdp = "bascule.xdp.o";

    /// <summary>The datapath for tcx.</summary>
    public const string Tcx = "bascule.tcx.o";

    /// <summary>What a real server runs to take tunnels off, for XDP.</summary>
    public const string DecapXdp = "decap.xdp.o";

    /// <summary>The same for tcx.</summary>
    public const string DecapTcx = "decap.tcx.o";

    /// <summary>tcx egress: takes health checks onto the way that clients' packets take. Shares its maps with the datapath.</summary>
    public const string Probe = "probe.tcx.o";

    /// <summary>Whether the program was built with the datapath in it.</summary>
    public static bool IsIncluded => Array.IndexOf(typeof(DatapathObject).Assembly.GetManifestResourceNames(), Xdp) >= 0;

    /// <summary>Opens one of the objects above.</summary>
    /// <exception cref="BpfException">libbpf is missing, or this program was built without clang.</exception>
    public static BpfObject Open(string name)
    {
        using Stream stream = typeof(DatapathObject).Assembly.GetManifestResourceStream(name)
            ?? throw new BpfException($"the packet datapath ({name}) is not in this program: it was built on a machine without clang or libbpf-dev");
        byte[] file = new byte[stream.Length];
        stream.ReadExactly(file);
        return BpfObject.Open(file, Path.GetFileNameWithoutExtension(name));
    }
}
