namespace Bascule.Vrrp.Handover;

/// <summary>Where a director that is handed an instance has come to. Each is done once when it is entered.</summary>
internal enum TakingStep
{
    /// <summary>Nothing is handed over. Heartbeats say nothing, no packet is passed on.</summary>
    Idle,

    /// <summary>The rule that passes packets on is made.</summary>
    Prepare,

    /// <summary>It is there, and heartbeats say so.</summary>
    Ready,

    /// <summary>It could not be made, and heartbeats say so.</summary>
    Cannot,
}

/// <summary>What the next step depends on.</summary>
/// <param name="PeerIsHeard">Its heartbeats speak of this instance.</param>
/// <param name="PeerSays">And say this.</param>
/// <param name="IsMade">Whether the rule is there; null: it is not known yet.</param>
internal readonly record struct TakingFacts(bool PeerIsHeard, HandoverWord PeerSays, bool? IsMade);

/// <summary>The order of a handover at the director that takes, without clock, socket or task.</summary>
/// <param name="longest">After so long packets are not passed on any more, whatever the other one says.</param>
internal sealed class TakingSide(TimeSpan longest)
{
    private TimeSpan _since;

    /// <summary>Where it is.</summary>
    public TakingStep Step { get; private set; } = TakingStep.Idle;

    /// <summary>Looks whether it is time for the next step.</summary>
    /// <returns>Whether one was entered, and is to be done now.</returns>
    public bool Next(in TakingFacts facts, TimeSpan now)
    {
        TakingStep before = Step;
        bool isOver = !facts.PeerIsHeard || facts.PeerSays is not (HandoverWord.Asks or HandoverWord.Drains);
        Step = Step switch
        {
            TakingStep.Idle when facts is { PeerIsHeard: true, PeerSays: HandoverWord.Asks } => TakingStep.Prepare,
            TakingStep.Prepare when facts.IsMade is { } made => made ? TakingStep.Ready : TakingStep.Cannot,
            TakingStep.Ready or TakingStep.Cannot when isOver || now - _since >= longest => TakingStep.Idle,
            TakingStep.Idle or TakingStep.Prepare or TakingStep.Ready or TakingStep.Cannot => Step,
        };
        if (Step == before)
            return false;
        _since = now;
        return true;
    }
}
