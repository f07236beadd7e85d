using System.Diagnostics;

namespace Bascule.Testing;

/// <summary>Waits for what other threads and sockets will bring about, without guessing how long they take.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Returns as soon as it holds.</summary>
    /// <param name="what">What is waited for, to say so when it never comes.</param>
    /// <exception cref="TimeoutException">It did not hold within 20 seconds.</exception>
    public static async Task HoldsAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > Patience)
                throw new TimeoutException($"never came true: {what}");
            await Task.Delay(1);
        }
    }
}
