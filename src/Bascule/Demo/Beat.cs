namespace Bascule.Demo;

/// <summary>Does something in a steady rhythm until told to stop, which is no error.</summary>
internal static class Beat
{
    public static async Task RepeatAsync(TimeSpan every, TimeProvider time, Func<Task> doAsync, CancellationToken stopping)
    {
        using PeriodicTimer timer = new(every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                await doAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop.
        }
    }
}
