using Xunit.Sdk;

namespace Bascule.Kernel.Tests;

/// <summary>For claims about rates, which the kernel counts by its own clock.</summary>
internal static class Promptly
{
    private const int Attempts = 20;
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(300);

    /// <summary>Runs a test on a datapath of its own. Where it fails and the machine kept it waiting, it has proved nothing and is run again on another.</summary>
    public static void Test(Func<Datapath> load, Action<Datapath> test)
    {
        for (int attempt = 1; ; attempt++)
        {
            using Datapath datapath = load();
            long begun = TimeProvider.System.GetTimestamp();
            try
            {
                test(datapath);
                return;
            }
            catch (XunitException) when (attempt < Attempts && TimeProvider.System.GetElapsedTime(begun) > Prompt)
            {
                continue;
            }
        }
    }
}
