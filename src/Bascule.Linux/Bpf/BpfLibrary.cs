using System.Runtime.InteropServices;
using System.Text;

namespace Bascule.Linux.Bpf;

/// <summary>Whether libbpf is on this machine, and what it says while it works.</summary>
public static unsafe class BpfLibrary
{
    private const int Warning = 0; // enum libbpf_print_level

    private static readonly Lazy<bool> Loaded = new(Load);

    [ThreadStatic]
    private static StringBuilder? _heard;

    /// <summary>Why nothing in this namespace can be used: a sentence, or null when it can.</summary>
    public static string? Missing =>
        Loaded.Value ? null : $"{Libbpf.Name} is not on this machine: install the package libbpf1 (Debian, Ubuntu) or libbpf (Fedora)";

    /// <summary>Processors that may ever be switched on: values an entry of a per-processor map has.</summary>
    /// <exception cref="BpfException">The library is missing.</exception>
    public static int Processors
    {
        get
        {
            Require();
            return Libbpf.Checked("libbpf_num_possible_cpus", Libbpf.PossibleProcessors());
        }
    }

    /// <exception cref="BpfException">The library is missing.</exception>
    internal static void Require()
    {
        if (Missing is { } sentence)
            throw new BpfException(sentence);
    }

    /// <summary>Runs a call and returns what the library warned of meanwhile.</summary>
    internal static string Hear(Action call)
    {
        StringBuilder heard = _heard = new();
        try
        {
            call();
        }
        finally
        {
            _heard = null;
        }

        return heard.ToString();
    }

    private static bool Load()
    {
        if (!NativeLibrary.TryLoad(Libbpf.Name, out _))
            return false;
        Libbpf.SetPrint(&Print);
        return true;
    }

    // Called by the library on the thread that called it. Arguments is a va_list: on every ABI that .NET has for Linux a pointer
    // when it is passed on, so that vsnprintf can take it as it came.
    [UnmanagedCallersOnly]
    private static int Print(int level, byte* format, void* arguments)
    {
        if (level != Warning || _heard is not { } heard)
            return 0;
        const int Longest = 4096;
        byte* text = stackalloc byte[Longest];
        int length = Math.Min(Libbpf.Format(text, Longest, format, arguments), Longest - 1);
        if (length > 0)
            heard.Append(Encoding.UTF8.GetString(text, length));
        return length;
    }
}
