namespace Bascule.Health;

/// <summary>Asks nothing, and says what the file says.</summary>
internal sealed class SwitchProbe(bool isOn) : Probe
{
    /// <inheritdoc/>
    public override Task<Verdict> AskAsync(uint mark, CancellationToken cancellation) =>
        Task.FromResult(isOn ? Verdict.Pass("on") : Verdict.Failed("switched off by `check: off`"));
}
