using Bascule.Linux.Process;

namespace Bascule.Linux.Tests.Process;

public sealed class PinnedThreadTests
{
    [Fact]
    public void A_pinned_thread_runs_on_its_processor()
    {
        int processor = PinnedThread.CurrentProcessor;

        using PinnedThread pinned = new(processor);

        for (int i = 0; i < 100; i++)
        {
            Thread.Yield();
            Assert.Equal(processor, PinnedThread.CurrentProcessor);
        }
    }

    [Fact]
    public void A_processor_that_is_not_there_is_an_error() => Assert.Throws<KernelException>(() => new PinnedThread(1023));
}
