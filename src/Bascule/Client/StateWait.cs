using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Client;

/// <summary>Waits until what an operator wanted has come about, and says how far it is.</summary>
internal sealed class StateWait(AdminClient daemon, TextWriter to, TimeProvider time)
{
    private static readonly TimeSpan LooksEvery = TimeSpan.FromMilliseconds(500);

    private string _last = "";

    /// <returns>Whether it came about; if not, why has been said.</returns>
    public async Task<bool> UntilDoneAsync(StateRequest wanted, TimeSpan timeout, CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            if (await LookAsync(wanted, cancellation) is not { } all)
                return false;
            if (all.FirstOrDefault(p => p.State < wanted.State) is { } other)
                return Say($"{other.Name} is in {other.State.Word()} now, so there is nothing to wait for; somebody else has changed it (see `bascule status`).");
            if (all.All(p => IsDone(p, wanted.State)))
            {
                Say(wanted.State == AdministrativeState.Enabled ? "In service." : "Empty.");
                return true;
            }

            string now = Describe(all, wanted.State);
            if (now != _last)
                Say(_last = now);
            if (time.GetElapsedTime(began) >= timeout)
                return Say($"Not waiting any longer. {(wanted.State == AdministrativeState.Enabled ? "It is enabled all the same." : "What is left may go on all the same.")}");
            await Task.Delay(LooksEvery, time, cancellation);
        }
    }

    private async Task<List<StateProgress>?> LookAsync(StateRequest wanted, CancellationToken cancellation)
    {
        List<StateProgress> all = [];
        foreach (string name in wanted.Names)
        {
            if (await daemon.StateAsync(name, cancellation) is not { } progress)
                return null;
            all.AddRange(progress);
        }

        return all;
    }

    /// <summary>Whether there is nothing to wait for any more.</summary>
    public static bool IsDone(StateProgress progress, AdministrativeState wanted) => wanted switch
    {
        // A fallback server that stands by is in service, and so is one whose weight in the file is 0: no waiting would change that.
        AdministrativeState.Enabled => progress.Is is not (RealServerState.Down or RealServerState.Drain or RealServerState.Maintenance or RealServerState.Ejected),
        AdministrativeState.Drain or AdministrativeState.Maintenance => progress.Connections == 0 && progress.Sessions == 0,
    };

    /// <summary><c>12 connections and 3 sessions left</c></summary>
    public static string Describe(IReadOnlyCollection<StateProgress> all, AdministrativeState wanted) => wanted switch
    {
        AdministrativeState.Enabled => $"Not yet in service: {string.Join(", ", all.Where(p => !IsDone(p, wanted)).Select(p => $"{p.Name} is {p.Is.ToString().ToLowerInvariant()}"))}",
        AdministrativeState.Drain or AdministrativeState.Maintenance =>
            $"{Count(all.Sum(p => p.Connections), "connection")} and {Count(all.Sum(p => p.Sessions), "session")} left",
    };

    private static string Count(long number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";

    private bool Say(string line)
    {
        to.WriteLine(line);
        return false;
    }
}
