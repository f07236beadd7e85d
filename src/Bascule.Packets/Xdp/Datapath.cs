using System.Globalization;
using System.Security.Cryptography;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Linux.Bpf;

namespace Bascule.Packets.Xdp;

/// <summary>The datapath's maps, made or found again, and the programs over them. Used by the engine's thread alone.</summary>
internal sealed class Datapath : IDisposable
{
    private readonly StateFolder _folder;
    private readonly IReadOnlyDictionary<string, uint> _sizes;
    private readonly FlowHashKey _key;

    private Datapath(StateFolder folder, PacketSettings settings, FlowHashKey key, bool isAdopted, string? note)
    {
        _folder = folder;
        _sizes = MapSizes.For(settings);
        _key = key;
        IsAdopted = isAdopted;
        Note = note;
    }

    /// <summary>Whether flows and counters of an earlier daemon were found and go on.</summary>
    public bool IsAdopted { get; }

    /// <summary>What an operator should know about what was found; null: nothing.</summary>
    public string? Note { get; }

    /// <summary>The maps. After the first <see cref="Load"/>.</summary>
    public DatapathMaps Maps => field ??= new(_folder);

    /// <summary>Looks at what is pinned, and decides whether to go on with it.</summary>
    /// <exception cref="BpfException">The program was built without the datapath, libbpf is missing, or the key cannot be read.</exception>
    public static Datapath Open(StateFolder folder, PacketSettings settings)
    {
        using BpfObject looked = DatapathObject.Open(DatapathObject.Xdp);
        ulong fingerprint = Identity.FingerprintOf(looked.Types);
        Identity? found = Identity.Read(folder);
        if (found is { } known && known.Fingerprint == fingerprint)
            return Adopt(folder, settings, known);

        folder.UnpinMaps(); // without an identity they are half made, or another version's
        FlowHashKey key = GivenKey(settings) ?? FlowHashKey.From(RandomNumberGenerator.GetBytes(FlowHashKey.Size));
        new Identity { Fingerprint = fingerprint, HashKey = key }.Write(folder);
        string? note = found is null ? null : $"{folder.Path} holds the datapath of another version of Bascule: starting afresh, recorded flows are forgotten";
        return new(folder, settings, key, isAdopted: false, note);
    }

    /// <summary>Loads one of the objects over the maps, making those that are missing.</summary>
    /// <param name="name">See <see cref="DatapathObject"/>.</param>
    /// <param name="switches">Null for an object that has none.</param>
    /// <exception cref="BpfException">The kernel refused it; a sentence.</exception>
    /// <returns>The object, to take programs out of.</returns>
    public BpfObject Load(string name, Switches? switches, bool explaining = false)
    {
        BpfObject loaded = DatapathObject.Open(name);
        try
        {
            string[] maps = [.. loaded.MapNames.Where(map => !map.Contains('.', StringComparison.Ordinal))];
            string[] missing = [.. maps.Where(map => !TryReuse(loaded, map))];
            switches?.SetIn(loaded, _key, explaining);
            loaded.Load();
            foreach (string map in missing)
                Pin(loaded, map);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Closes the maps; what is pinned stays.</summary>
    public void Dispose()
    {
        if (File.Exists(_folder.Map("services4")))
            Maps.Dispose();
    }

    private static Datapath Adopt(StateFolder folder, PacketSettings settings, Identity known)
    {
        FlowHashKey key = GivenKey(settings) ?? known.HashKey;
        string? note = null;
        if (key != known.HashKey)
        {
            // What was hashed by the old key finds another slot by the new one; that is what was asked for.
            note = "packets.hashKey is another than before: flows of consistent-hash virtual servers may be given to other real servers";
            File.Delete(folder.Identity);
            (known with { HashKey = key }).Write(folder);
        }

        if (File.Exists(folder.Map("flows4")))
        {
            using BpfMap flows = BpfMap.OpenPinned(folder.Map("flows4"));
            if (flows.Shape.Entries != settings.Flows)
                note = $"packets.flows stays {flows.Shape.Entries} (the file says {settings.Flows}): it can change only after `bascule detach`, which forgets recorded flows";
        }

        return new(folder, settings, key, isAdopted: true, note);
    }

    private bool TryReuse(BpfObject loaded, string map)
    {
        string pin = _folder.Map(map);
        if (File.Exists(pin))
        {
            using BpfMap existing = BpfMap.OpenPinned(pin);
            if (loaded.Shape(map).IsCompatibleWith(existing.Shape))
            {
                loaded.Reuse(map, existing);
                return true;
            }

            // What the fingerprint does not vouch for is counted or found out again.
            File.Delete(pin);
        }

        if (_sizes.TryGetValue(map, out uint entries))
            loaded.SetEntries(map, entries);
        return false;
    }

    private void Pin(BpfObject loaded, string name)
    {
        using BpfMap map = loaded.AnyMap(name);
        map.Pin(_folder.Map(name));
    }

    private static FlowHashKey? GivenKey(PacketSettings settings) => settings.HashKey switch
    {
        null => null,
        GivenHashKey given => given.Key,
        HashKeyFile file => ReadKey(file.Path),
        SharedHashKey shared => throw new BpfException($"packets.hashKey follows from the key shared with {shared.Peer}, which cannot be read (`bascule check` says why)"),
        _ => throw new ArgumentException($"no key in {settings.HashKey.GetType().Name}", nameof(settings)),
    };

    private static FlowHashKey ReadKey(string path)
    {
        try
        {
            byte[] bytes = Convert.FromHexString(File.ReadAllText(path).Trim());
            return bytes.Length == FlowHashKey.Size
                ? FlowHashKey.From(bytes)
                : throw new BpfException(string.Create(CultureInfo.InvariantCulture, $"packets.hashKey: {path} has {bytes.Length * 2} hexadecimal digits, not {FlowHashKey.Size * 2}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new BpfException($"packets.hashKey cannot be read: {e.Message}");
        }
    }
}
