namespace Bascule.Lab.Tests.Pair;

/// <summary>What happens to cables. Everything is mended when it is disposed of.</summary>
internal sealed class Faults(PairFixture lab) : IAsyncDisposable
{
    private bool _hasRules;

    private LabMachine Switch => lab["switch"];

    /// <summary>Pulls a director's cable: no carrier at either end.</summary>
    public Task PullAsync(string director, string segment) => Switch.RunAsync("ip", "link", "set", PairPlan.PortOf(director, segment), "down");

    /// <summary>Plugs it in again.</summary>
    public Task PlugAsync(string director, string segment) => Switch.RunAsync("ip", "link", "set", PairPlan.PortOf(director, segment), "up");

    /// <summary>What this director sends in this network is lost; what it is sent arrives.</summary>
    public Task DropWhatIsSentByAsync(string director, string segment) => RuleAsync($"iifname {PairPlan.PortOf(director, segment)} drop");

    /// <summary>Of all that goes through this network's switch between the two directors, so many percent are lost.</summary>
    public async Task LoseAsync(int percent, string segment)
    {
        foreach (string director in PairPlan.Directors)
            await RuleAsync($"iifname {PairPlan.PortOf(director, segment)} oifname {PairPlan.PortOf(PairPlan.OtherOf(director), segment)} {(percent < 100 ? $"numgen random mod 100 < {percent}" : "")} drop");
    }

    /// <summary>The two hear nothing of each other; everybody else hears both. No carrier is lost.</summary>
    public async Task PartAsync()
    {
        foreach (string segment in PairPlan.Segments)
            await LoseAsync(100, segment);
    }

    /// <summary>Mends everything.</summary>
    public async Task MendAsync()
    {
        if (_hasRules)
            await Switch.RunAsync("nft", "delete", "table", "bridge", "faults");
        _hasRules = false;
        foreach (string port in lab.Network.Plan.DirectorsCables)
            await Switch.RunAsync("ip", "link", "set", port, "up");
    }

    public async ValueTask DisposeAsync() => await MendAsync();

    private async Task RuleAsync(string rule)
    {
        if (!_hasRules)
            await Switch.RunAsync("nft", "add table bridge faults; add chain bridge faults losses { type filter hook forward priority 0; }");
        _hasRules = true;
        await Switch.RunAsync("nft", $"add rule bridge faults losses {rule}");
    }
}
