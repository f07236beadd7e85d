using System.Diagnostics;
using Bascule.Linux.Bpf;

namespace Bascule.Bench.Packets;

/// <summary>Somebody else's XDP program: its maps are filled by a program of theirs.</summary>
internal static class Foreigner
{
    /// <summary>Pins the maps by name into a folder, runs the program with that folder as its argument, takes the pins away.</summary>
    public static void SetUp(BpfObject opened, string program)
    {
        string folder = $"{BpfFileSystem.Usual}/packets-bench-{Environment.ProcessId}";
        Directory.CreateDirectory(folder);
        try
        {
            foreach (string name in opened.MapNames.Where(name => !name.Contains('.', StringComparison.Ordinal)))
            {
                using BpfMap map = opened.AnyMap(name);
                map.Pin($"{folder}/{name}");
            }

            using Process process = Process.Start(program, [folder]);
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{program} {folder} ended with {process.ExitCode}");
        }
        finally
        {
            foreach (string pin in Directory.GetFiles(folder))
                File.Delete(pin);
            Directory.Delete(folder);
        }
    }
}
