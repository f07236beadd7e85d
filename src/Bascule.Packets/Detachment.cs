using Bascule.Core.Api;
using Bascule.Linux.Bpf;
using Bascule.Packets.Engine;
using Bascule.Packets.Xdp;

namespace Bascule.Packets;

/// <summary>Removes what a daemon that no longer runs has left in the kernel so that the next one finds it.</summary>
public static class Detachment
{
    /// <summary>Whether one is still attached from there, whoever looks after it.</summary>
    public static bool IsNeeded(string stateFolder)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(stateFolder, "links")).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Takes the datapath off every interface, and forgets flows, tables and counters.</summary>
    /// <param name="stateFolder">Where it is pinned: <c>packets.state</c>.</param>
    /// <returns>What was done; nothing when there was nothing. A problem when a daemon has the folder, or it may not be touched.</returns>
    public static DetachResult Run(string stateFolder)
    {
        if (!Directory.Exists(Path.Combine(stateFolder, "links")))
            return new([], []);
        try
        {
            using StateFolder folder = StateFolder.Take(stateFolder);
            return new([.. folder.Detach()], []);
        }
        catch (Exception e) when (e is TakenException or BpfException or IOException or UnauthorizedAccessException)
        {
            return new([], [e.Message]);
        }
    }
}
