using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux;
using Bascule.Vrrp.Engine;
using Microsoft.Extensions.Logging;

namespace Bascule.Vrrp.Handover;

/// <summary>What became of the wish to hand an instance over.</summary>
/// <param name="Instance">Its name.</param>
/// <param name="KeepsConnections">Whether what is open goes on.</param>
/// <param name="What">A sentence without its full stop.</param>
public sealed record HandoverAnswer(string Instance, bool KeepsConnections, string What)
{
    internal static HandoverAnswer Of(string instance, string? whyPlain, TimeSpan timeout) => whyPlain is null
        ? new(instance, true, $"handed over; connections that are open here may end within {timeout.TotalSeconds:0} s")
        : new(instance, false, $"handed over, but connections that were open are lost: {whyPlain}");
}

/// <summary>
/// Hands instances over to another director without losing a connection, and takes them so, as far as both directors can: docs/design/failover.md,
/// "Planned handover". Beside the failover thread, which waits for nobody; here programs are run.
/// </summary>
public sealed class HandoverDesk : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _begins = new();
    private readonly TimeProvider _time;
    private readonly ImmutableArray<Transfer> _transfers;
    private Task _running = Task.CompletedTask;
    private volatile bool _isStopping;

    /// <summary>Makes it; nothing is touched yet.</summary>
    /// <param name="time">As the engine's.</param>
    public HandoverDesk(VrrpEngine engine, RoleBoard board, TimeProvider time, ILogger<HandoverDesk> logger)
    {
        (Engine, Board, _time, Logger) = (engine, board, time, logger);
        Tables = new(TimeProvider.System);
        _transfers = [.. Settings.Instances.Select((instance, i) => new Transfer(instance, i, this))];
        engine.PeerSpoke += Wake;
    }

    /// <summary>Instances that were given away and whose connections are open here yet, changed. Called before it counts.</summary>
    public event Action? DrainingChanged;

    /// <summary>The time of a handover is over: close what is open on addresses that are elsewhere.</summary>
    public event Action? TimeIsOver;

    /// <summary>Instances that were given away, and what is open yet of them here.</summary>
    public IEnumerable<(HaInstance Instance, int Open)> Draining => _transfers.Where(t => t.IsDraining).Select(t => (t.Instance, t.Open));

    internal VrrpEngine Engine { get; }

    internal RoleBoard Board { get; }

    internal ILogger Logger { get; }

    internal NftTables Tables { get; }

    internal HaSettings Settings => Engine.Settings;

    internal TimeSpan Now => _time.GetElapsedTime(0);

    /// <summary>Removes what a former life left.</summary>
    /// <exception cref="KernelException">The kernel did not answer.</exception>
    public async Task CleanAsync()
    {
        QuietAddresses.Clean(Settings);
        await Tables.CleanAsync();
    }

    /// <summary>Begins to listen to peers. After the engine's start.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Lets another director take over, with care for what is open where that is possible.</summary>
    /// <param name="instance">Its name; those of its sync group go with it. Null: all.</param>
    /// <returns>For each that was Active, once it is not; see <see cref="DrainedAsync"/> for what comes after.</returns>
    public async Task<ImmutableArray<HandoverAnswer>> HandOverAsync(string? instance)
    {
        List<Task<HandoverAnswer>> answers;
        lock (_begins)
            answers = [.. Chosen(instance).Select(t => t.Give()).OfType<Task<HandoverAnswer>>()];
        Wake();
        return [.. await Task.WhenAll(answers)];
    }

    /// <summary>
    /// Instances that <see cref="HandOverAsync"/> would first have to wait for: they were taken a short time ago, and connections of them are open at the other
    /// director, which get there through this one.
    /// </summary>
    /// <param name="instance">As there.</param>
    public IEnumerable<string> Arriving(string? instance) => Chosen(instance).Where(t => t.IsTaking).Select(t => t.Instance.Name);

    /// <summary>Completes when nothing that was given away is open here any more, or its time is over.</summary>
    public Task DrainedAsync() => Task.WhenAll(_transfers.Select(t => t.Ended));

    /// <summary>Ends at once; what a handover needed is removed.</summary>
    public async ValueTask DisposeAsync()
    {
        Engine.PeerSpoke -= Wake;
        _isStopping = true;
        Wake();
        await _running;
        foreach (Transfer transfer in _transfers)
            await transfer.EndAsync();
        _wake.Dispose();
    }

    /// <summary>Whether all that leave together would leave now.</summary>
    internal bool GroupIsReady(string instance) => Chosen(instance).All(t => t.IsReadyToLeave);

    /// <summary>Where the other director can be reached on the link of an instance, the likeliest first.</summary>
    internal IReadOnlyList<IPAddress> PeerAddresses(string instance) =>
        [.. (Engine.Heard(instance).Peer is { } heard ? [heard] : Array.Empty<IPAddress>()), .. Settings.Peers.SelectMany(p => p.Addresses)];

    internal void NoteDrained() => DrainingChanged?.Invoke();

    internal void CutOff() => TimeIsOver?.Invoke();

    private IEnumerable<Transfer> Chosen(string? instance) => _transfers.Where(t => instance is null || Together(instance).Contains(t.Instance.Name));

    private ValueList<string> Together(string instance) =>
        Settings.SyncGroups.FirstOrDefault(g => g.Instances.Contains(instance)) is { } group ? group.Instances : [instance];

    private void Wake()
    {
        if (_wake.CurrentCount == 0)
            _wake.Release();
    }

    private async Task RunAsync()
    {
        while (!_isStopping)
        {
            try
            {
                foreach (Transfer transfer in _transfers)
                    await transfer.TurnAsync();
            }
#pragma warning disable CA1031 // whatever it is, the next turn may succeed, and everything of a handover ends by itself
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.HandoverBroke(Logger, e);
            }

            await _wake.WaitAsync(_transfers.Any(t => t.IsBusy) ? Pace : Timeout.InfiniteTimeSpan);
        }
    }
}
