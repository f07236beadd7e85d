using System.Diagnostics;
using Bascule.Linux.Bpf;

namespace Bascule.Kernel.Tests.Bpf;

/// <summary>small.bpf.c, compiled with the flags of everything else.</summary>
internal static class Small
{
    public static BpfObject Open(params string[] defines)
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Bascule.slnx")))
            root = Path.GetDirectoryName(root)!;
        string output = Path.GetTempFileName();
        try
        {
            using Process compile = Process.Start(new ProcessStartInfo(Path.Combine(root, "bpf/compile"),
                ["tests/Bascule.Kernel.Tests/Bpf/small.bpf.c", output, .. defines])
            { RedirectStandardError = true })!;
            string errors = compile.StandardError.ReadToEnd();
            compile.WaitForExit();
            Assert.True(compile.ExitCode == 0, errors);
            return BpfObject.Open(File.ReadAllBytes(output), "small");
        }
        finally
        {
            File.Delete(output);
        }
    }

    public static BpfObject Load()
    {
        BpfObject small = Open();
        small.Load();
        return small;
    }
}
