using System.Globalization;
using Bascule.Linux.Process;

namespace Bascule.Linux.Tests.Process;

public sealed class FileLimitTests
{
    [Fact]
    public void The_limit_in_force_is_the_hard_one_that_the_kernel_shows()
    {
        ulong limit = FileLimit.RaiseToHardLimit();

        string[] shown = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(limit.ToString(CultureInfo.InvariantCulture), shown[3]);
        Assert.Equal(shown[4], shown[3]);
    }
}
