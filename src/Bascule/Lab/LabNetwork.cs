using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Lab;

/// <summary>A lab that stands: its machines, a folder for its files and one for what its director pins. Taking it down leaves nothing.</summary>
internal sealed class LabNetwork
{
    private LabNetwork(NetworkPlan plan) => Plan = plan;

    /// <summary>Its machines.</summary>
    public NetworkPlan Plan { get; }

    /// <summary>For configurations, sockets and logs.</summary>
    public string Folder => Path.Combine("/run", Plan.Name);

    /// <summary>For the maps and links of its director: packets.state.</summary>
    public string Pins => Path.Combine("/sys/fs/bpf", Plan.Name);

    /// <summary>Builds it. What an earlier run of the same name left is removed first.</summary>
    /// <exception cref="LabException">The kernel refused something; nothing is left of the attempt.</exception>
    public static async Task<LabNetwork> UpAsync(NetworkPlan plan)
    {
        await DownAsync(plan);
        LabNetwork network = new(plan);
        try
        {
            Directory.CreateDirectory(network.Folder);
            await Tool.RunAsync("ip", ["-batch", "-"], network.Plan.Cables());
            foreach (LabMachine machine in plan.Machines)
                await machine.RunScriptAsync(plan.Script(machine));
            await network.WakeCablesAsync();
            return network;
        }
        catch (LabException)
        {
            await DownAsync(plan);
            throw;
        }
    }

    /// <summary>The lab of this plan if it stands, else null.</summary>
    public static LabNetwork? Find(NetworkPlan plan) => plan.Machines.All(IsThere) ? new(plan) : null;

    /// <summary>Ends every process in the lab's machines, and removes machines, pins and files. Nothing to remove is no error.</summary>
    /// <returns>Whether there was anything.</returns>
    public static async Task<bool> DownAsync(NetworkPlan plan)
    {
        LabNetwork network = new(plan);
        LabMachine[] left = [.. plan.Machines.Where(IsThere)];
        foreach (LabMachine machine in left)
        {
            await machine.KillAllAsync();
            await Tool.RunAsync("ip", ["netns", "delete", machine.Namespace]);
        }

        bool hadFolders = Remove(network.Pins) | Remove(network.Folder);
        return left.Length > 0 || hadFolders;
    }

    // A veth end is woken for what XDP sends at the other only where a program hangs at it too (the kernel's veth_xdp_flush); otherwise
    // its ring fills up and the cable is dead. Our smallest program, told of no tunnels, lets everything pass.
    private async Task WakeCablesAsync()
    {
        string folder = $"{Pins}-cables", pinned = Path.Combine(folder, "pass");
        try
        {
            BpfFileSystem.Prepare(folder);
            using BpfObject opened = DatapathObject.Open(DatapathObject.DecapXdp);
            opened.Load();
            using BpfProgram pass = opened.Program("bascule_decap");
            pass.Pin(pinned);
            await Plan.Hub.RunScriptAsync(string.Join('\n', Plan.DirectorsCables.Select(port => $"ip link set {port} xdpdrv pinned {pinned}")));
        }
        catch (Exception e) when (e is BpfException or KernelException)
        {
            throw new LabException(e.Message);
        }
        finally
        {
            Remove(folder);
        }
    }

    private static bool IsThere(LabMachine machine) => File.Exists(Path.Combine("/run/netns", machine.Namespace));

    private static bool Remove(string folder)
    {
        if (!Directory.Exists(folder))
            return false;
        Directory.Delete(folder, recursive: true);
        return true;
    }
}
