using System.Globalization;

namespace Bascule.Lab.Tests.Pair;

/// <summary>A freezer of cgroup v1: whatever is in it stops between two instructions, and does not learn of it.</summary>
internal sealed class Freezer : IDisposable
{
    private const string Root = "/sys/fs/cgroup/freezer";

    private readonly string _folder;

    public Freezer(int process)
    {
        _folder = Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"bascule-pair-{process}"));
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "cgroup.procs"), process.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Whether this machine has one.</summary>
    public static bool IsThere => Directory.Exists(Root);

    public void Freeze() => State("FROZEN");

    public void Thaw() => State("THAWED");

    public void Dispose()
    {
        Thaw();
        foreach (string process in File.ReadAllLines(Path.Combine(_folder, "cgroup.procs")))
            File.WriteAllText(Path.Combine(Root, "cgroup.procs"), process);
        Directory.Delete(_folder);
    }

    private void State(string state) => File.WriteAllText(Path.Combine(_folder, "freezer.state"), state);
}
