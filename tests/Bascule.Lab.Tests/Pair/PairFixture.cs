global using Bascule.Lab.Watch;
namespace Bascule.Lab.Tests.Pair;

/// <summary>Tests that share the pair's lab run one after the other, and beside no others: they measure time.</summary>
[CollectionDefinition("Pair", DisableParallelization = true)]
public sealed class PairCollection : ICollectionFixture<PairFixture>;

/// <summary>The pair's lab: machines and cables. Each test starts the directors it wants, and leaves none.</summary>
public sealed class PairFixture : IAsyncLifetime
{
    private const string Prefix = "bascule-pair-test";

    private static readonly PairPlan Plan = new($"{Prefix}{Environment.ProcessId}");

    private LabNetwork? _network;

    /// <summary>Why these tests cannot run here; null when they can.</summary>
    public static string? WhyNot { get; } = LabFixture.WhyNot
        ?? (Tool.IsThere("keepalived") ? null : "tests of a pair need keepalived, which ./test installs when it is run as root");

    internal LabNetwork Network => _network!;

    internal LabMachine this[string role] => Network.Plan[role];

    public async Task InitializeAsync()
    {
        if (WhyNot is not null)
            return;
        await RemoveLeftoversAsync();
        _network = await LabNetwork.UpAsync(Plan);
    }

    public async Task DisposeAsync()
    {
        if (_network is not null)
            await LabNetwork.DownAsync(Plan);
    }

    /// <summary>Watches who has an address, from the client.</summary>
    internal Task<LabWatch> WatchAsync(string address = PairPlan.VirtualAddress, int port = 0) =>
        LabWatch.StartAsync(this["client"], address, TimeProvider.System, port);

    /// <summary>Listens on a director's port in the lan: whatever the two say to each other there.</summary>
    internal Task<LabWatch> ListenAsync(string director) => LabWatch.StartAsync(this[director], PairPlan.VirtualAddress, TimeProvider.System, milliseconds: 0);

    // A run that was killed could not clean up: the next does, by the process id in the name.
    private static async Task RemoveLeftoversAsync()
    {
        if (!Directory.Exists("/run/netns"))
            return;
        foreach (string id in Directory.GetFiles("/run/netns", $"{Prefix}*").Select(path => Path.GetFileName(path)[Prefix.Length..].Split('-')[0]).Distinct().ToArray())
        {
            if (!Directory.Exists($"/proc/{id}"))
                await LabNetwork.DownAsync(new PairPlan($"{Prefix}{id}"));
        }
    }
}

/// <summary>A test of a pair: skipped, with the reason in words, where no such lab can be built.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PairFactAttribute : FactAttribute
{
    public PairFactAttribute() => Skip = PairFixture.WhyNot;
}

/// <inheritdoc cref="PairFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PairTheoryAttribute : TheoryAttribute
{
    public PairTheoryAttribute() => Skip = PairFixture.WhyNot;
}
