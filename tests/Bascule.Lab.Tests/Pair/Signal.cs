using System.Diagnostics;
using System.Globalization;

namespace Bascule.Lab.Tests.Pair;

/// <summary>kill(1), as short as it gets.</summary>
internal static class Signal
{
    /// <summary>Sends a signal to a process.</summary>
    /// <param name="name">Such as KILL.</param>
    public static void Send(string name, int id)
    {
        using Process kill = Tool.Start("kill", [$"-{name}", id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
