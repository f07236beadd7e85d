using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Linux.Files;
using Bascule.Packets.Engine;

namespace Bascule.Packets.Xdp;

/// <summary>
/// The folder on a bpffs in which maps and links are pinned, so that they outlive the daemon: <c>maps/NAME</c>, <c>links/INTERFACE</c>,
/// <c>probes/INTERFACE</c> and <c>identity</c>. One daemon at a time holds it.
/// </summary>
internal sealed class StateFolder : IDisposable
{
    private readonly FolderLock _lock;

    private StateFolder(string path, FolderLock held)
    {
        Path = path;
        _lock = held;
    }

    /// <summary>The whole path.</summary>
    public string Path { get; }

    /// <summary>Where the fingerprint and the secret of the hash are pinned.</summary>
    public string Identity => System.IO.Path.Combine(Path, "identity");

    private string Maps => System.IO.Path.Combine(Path, "maps");

    private string Links => System.IO.Path.Combine(Path, "links");

    private string Probes => System.IO.Path.Combine(Path, "probes");

    /// <summary>Makes the folder where it is missing (and mounts the bpffs it has to lie on), and takes it for this process alone.</summary>
    /// <exception cref="TakenException">Another daemon has it.</exception>
    /// <exception cref="BpfException">It cannot be made. A sentence.</exception>
    public static StateFolder Take(string path)
    {
        try
        {
            BpfFileSystem.Prepare(path);
            FolderLock held = FolderLock.TryTake(path)
                ?? throw new TakenException($"another daemon has {path}: stop it, or give this one a folder of its own with packets.state");
            StateFolder taken = new(path, held);
            Directory.CreateDirectory(taken.Maps);
            Directory.CreateDirectory(taken.Links);
            Directory.CreateDirectory(taken.Probes);
            return taken;
        }
        catch (Exception e) when (e is KernelException or IOException or UnauthorizedAccessException)
        {
            throw new BpfException($"{path} cannot be used as packets.state: {e.Message}");
        }
    }

    /// <summary>Where a map is pinned.</summary>
    public string Map(string name) => System.IO.Path.Combine(Maps, name);

    /// <summary>Where the datapath's link to an interface is pinned.</summary>
    public string Link(string interfaceName, AttachPoint point) => System.IO.Path.Combine(Links, $"{NameOf(interfaceName)}:{point}");

    /// <summary>Where the link is pinned that sends the checks of an interface on the way of clients' packets.</summary>
    public string Probe(string interfaceName) => System.IO.Path.Combine(Probes, NameOf(interfaceName));

    /// <summary>Interfaces that have a link here, and where on them it is or was attached.</summary>
    public IReadOnlyList<(string Interface, AttachPoint Point)> Attached => [.. Directory.GetFiles(Links).Select(LinkOf).Order()];

    /// <summary>Forgets the maps: who uses them keeps them until it ends.</summary>
    public void UnpinMaps()
    {
        foreach (string file in Directory.GetFiles(Maps))
            File.Delete(file);
        File.Delete(Identity);
    }

    /// <summary>Takes the datapath, and what sends checks, off every interface but these.</summary>
    /// <returns>The interfaces the datapath was on.</returns>
    public IReadOnlyList<string> DetachAllBut(IEnumerable<string> interfaces)
    {
        HashSet<string> keep = [.. interfaces.Select(NameOf)];
        foreach (string probe in Directory.GetFiles(Probes).Where(probe => !keep.Contains(System.IO.Path.GetFileName(probe))))
            DetachLink(probe);
        return [.. Attached.Where(link => !keep.Contains(NameOf(link.Interface)) && DetachLink(Link(link.Interface, link.Point))).Select(link => link.Interface)];
    }

    /// <summary>Takes the datapath off every interface and forgets everything.</summary>
    /// <returns>The interfaces it was on.</returns>
    public IReadOnlyList<string> Detach()
    {
        List<string> were = [];
        foreach (string file in (string[])[.. Directory.GetFiles(Links), .. Directory.GetFiles(Probes)])
        {
            if (DetachLink(file) && System.IO.Path.GetDirectoryName(file) == Links)
                were.Add(LinkOf(file).Interface);
        }

        UnpinMaps();
        Directory.Delete(Maps);
        Directory.Delete(Links);
        Directory.Delete(Probes);
        // The folder itself may be the mount point, or somebody's who has other things in it.
        if (Path != BpfFileSystem.Usual && !Directory.EnumerateFileSystemEntries(Path).Any())
            TryDeleteFolder();
        return were;
    }

    /// <summary>Takes one link off its interface.</summary>
    /// <returns>Whether it was on one.</returns>
    public static bool DetachLink(string pin)
    {
        using BpfLink link = BpfLink.OpenPinned(pin);
        bool wasAttached = link.InterfaceIndex != 0;
        link.Detach();
        File.Delete(pin);
        return wasAttached;
    }

    /// <summary>Lets another daemon have it. What is pinned stays, and works on.</summary>
    public void Dispose() => _lock.Dispose();

    // A bpffs takes no dots in names, which interfaces with a VLAN have; an interface's name has no colon.
    private static string NameOf(string interfaceName) => interfaceName.Replace(".", "::", StringComparison.Ordinal);

    private static (string Interface, AttachPoint Point) LinkOf(string pin)
    {
        string name = System.IO.Path.GetFileName(pin);
        int colon = name.LastIndexOf(':');
        return (name[..colon].Replace("::", ".", StringComparison.Ordinal), Enum.Parse<AttachPoint>(name[(colon + 1)..]));
    }

    private void TryDeleteFolder()
    {
        try
        {
            Directory.Delete(Path);
        }
        catch (IOException)
        {
            // A bpffs of its own is mounted here; an empty one does no harm.
        }
    }
}
