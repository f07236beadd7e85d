using System.Globalization;
using System.Text;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Track;

/// <summary>One look at one thing that is tracked.</summary>
internal static class Look
{
    private const int LongestComm = 15; // proc_pid_comm(5): TASK_COMM_LEN is 16, the last of which is 0
    private const int LongestNumber = 32; // bytes of a tracked file that are read

    /// <summary>An interface is up and has a carrier.</summary>
    public static TrackedState AtInterface(Network network, TrackedInterface tracked) => network.FindLink(tracked.Name) switch
    {
        null => TrackedState.Unwell("there is no such interface"),
        { IsUp: false } => TrackedState.Unwell("it is switched off"),
        { HasCarrier: false } => TrackedState.Unwell("it has no carrier"),
        _ => TrackedState.Well("it is up"),
    };

    /// <summary>There is a way to the destination.</summary>
    public static TrackedState AtRoute(Network network, TrackedRoute tracked)
    {
        NetworkRoute? route = network.FindRoute(tracked.Destination.BaseAddress, out Errno error);
        return route switch
        {
            null => TrackedState.Unwell(error == Errno.None ? "there is no route" : new KernelException("", error).Message.Trim()),
            { Kind: RouteKind.Unicast or RouteKind.Local or RouteKind.Broadcast } => TrackedState.Well(route.Gateway is { } gateway ? $"by way of {gateway}" : "on the link"),
            _ => TrackedState.Unwell("the route goes nowhere"),
        };
    }

    /// <summary>Enough processes of that name run.</summary>
    public static TrackedState AtProcesses(TrackedProcess tracked)
    {
        string comm = tracked.Name.Length > LongestComm ? tracked.Name[..LongestComm] : tracked.Name;
        int running = Directory.EnumerateDirectories("/proc").Count(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]) && CommOf(folder) == comm);
        string why = $"{running} of it running";
        return running >= tracked.AtLeast ? TrackedState.Well(why) : TrackedState.Unwell($"{why}, at least {tracked.AtLeast} wanted");
    }

    /// <summary>The number in a file: without a weight, anything but 0 is not well.</summary>
    public static TrackedState AtFile(TrackedFile tracked)
    {
        try
        {
            using FileStream file = new(tracked.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] bytes = new byte[LongestNumber];
            string text = Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).Trim();
            if (text.Length == 0)
                return TrackedState.Well("it is empty");
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
                ? new(number == 0, int.Clamp(number, -254, 254), $"it says {number}") // keepalived's range
                : TrackedState.Unwell("what it says is no whole number");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return TrackedState.Well("it is not there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TrackedState.Unwell(e.Message);
        }
    }

    /// <summary>Each virtual server has enough real servers that are up and take connections.</summary>
    public static TrackedState AtVirtualServers(Snapshot snapshot, TrackedVirtualServers tracked)
    {
        foreach (LiveVirtualServer virtualServer in snapshot.VirtualServers.Where(v => tracked.Names.Contains(v.Configured.Name)))
        {
            int usable = virtualServer.RealServers.Count(r => r.IsWell && r.Weight > 0 && !r.IsFallback);
            if (usable < tracked.AtLeast)
                return TrackedState.Unwell($"{virtualServer.Configured.Name} has {usable} of {virtualServer.RealServers.Count(r => !r.IsFallback)} real servers up, at least {tracked.AtLeast} wanted");
        }

        return TrackedState.Well("they have enough real servers");
    }

    private static string? CommOf(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "comm")).TrimEnd('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it ended meanwhile
        }
    }
}
