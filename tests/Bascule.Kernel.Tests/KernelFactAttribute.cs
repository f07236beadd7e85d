using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Kernel.Tests;

/// <summary>A test that loads the datapath into the kernel; skipped, with the reason in words, where that cannot be.</summary>
public sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute() => Skip = Kernel.WhyNot;
}

/// <summary>The same for a theory.</summary>
public sealed class KernelTheoryAttribute : TheoryAttribute
{
    public KernelTheoryAttribute() => Skip = Kernel.WhyNot;
}

internal static class Kernel
{
    private static readonly Lazy<string?> Answer = new(Ask);

    /// <summary>Why the datapath cannot be loaded here; null when it can.</summary>
    public static string? WhyNot => Answer.Value;

    // Whether the programs themselves load is what the tests are about: only privilege and what the build had are asked here.
    private static string? Ask()
    {
        if (BpfLibrary.Missing is { } missing)
            return missing;
        if (!DatapathObject.IsIncluded)
            return "built without clang or libbpf-dev: the packet datapath is not in the program";
        try
        {
            using BpfMap<int, int> map = BpfMap.Create<int, int>("can_we", MapType.Array, 1);
            return null;
        }
        catch (KernelException e)
        {
            return $"BPF needs root (CAP_BPF and CAP_NET_ADMIN): {e.Message}";
        }
    }
}
