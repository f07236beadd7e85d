namespace Bascule.Vrrp.Handover;

/// <summary>Where a director that hands an instance over has come to. Each is done once, in this order, when it is entered.</summary>
internal enum GivingStep
{
    /// <summary>Before the first look.</summary>
    Begin,

    /// <summary>Heartbeats say <see cref="HandoverWord.Asks"/>.</summary>
    Ask,

    /// <summary>Its addresses are put where nobody sees them but the packets that are sent here.</summary>
    BeQuiet,

    /// <summary>The others of its sync group are waited for: they leave when the first does.</summary>
    Together,

    /// <summary>Goodbye: the other one takes over.</summary>
    Leave,

    /// <summary>Heartbeats say <see cref="HandoverWord.Drains"/>; what is open goes on.</summary>
    Drain,

    /// <summary>The time is over: what is still open is closed, while the clients can yet be told.</summary>
    CutOff,

    /// <summary>The quiet addresses are removed, and heartbeats say nothing more.</summary>
    End,

    /// <summary>It is over.</summary>
    Done,
}

/// <summary>What the next step depends on.</summary>
/// <param name="IsTaking">It was given to us a short time ago, and the other one has connections open yet.</param>
/// <param name="PeerIsHeard">Some peer's heartbeats speak of this instance.</param>
/// <param name="PeerSays">And say this.</param>
/// <param name="GroupIsReady">All that are handed over with it have come to <see cref="GivingStep.Together"/>.</param>
/// <param name="WhyNotQuiet">Why the addresses could not be put aside; null: they are, or it has not been tried.</param>
/// <param name="IsActive">The instance is Active here.</param>
/// <param name="Open">Connections of its addresses that are open here.</param>
internal readonly record struct GivingFacts(
    bool IsTaking, bool PeerIsHeard, HandoverWord PeerSays, bool GroupIsReady, string? WhyNotQuiet, bool IsActive, int Open);

/// <summary>
/// The order of a handover at the director that gives, without clock, socket or task. Whatever is missing, the addresses are given: then
/// without care for what is open, and <see cref="WhyPlain"/> says why.
/// </summary>
internal sealed class GivingSide(TimeSpan askPatience, TimeSpan timeout)
{
    /// <summary>How long those that were cut off have to hear of it.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    /// <summary>Somebody may still come who has not heard of the other one.</summary>
    private static readonly TimeSpan ShortestDrain = TimeSpan.FromSeconds(1);

    private TimeSpan _since;

    /// <summary>Where it is.</summary>
    public GivingStep Step { get; private set; } = GivingStep.Begin;

    /// <summary>Why open connections are lost, as a clause; null: they are not, or it is not known yet.</summary>
    public string? WhyPlain { get; private set; }

    /// <summary>Looks whether it is time for the next step.</summary>
    /// <returns>Whether one was entered, and is to be done now.</returns>
    public bool Next(in GivingFacts facts, TimeSpan now)
    {
        GivingStep before = Step;
        Step = Step switch
        {
            GivingStep.Begin when facts.IsTaking => Step,
            GivingStep.Begin when facts.PeerIsHeard => GivingStep.Ask,
            GivingStep.Begin => Plainly("no heartbeat of another director speaks of it"),
            GivingStep.Ask when facts.PeerSays == HandoverWord.Ready => GivingStep.BeQuiet,
            GivingStep.Ask when facts.PeerSays == HandoverWord.Cannot => Plainly("the other director cannot pass packets on (its log says why)"),
            GivingStep.Ask when !facts.PeerIsHeard || now - _since >= askPatience => Plainly($"the other director did not get ready within {askPatience.TotalSeconds:0.#} s"),
            GivingStep.BeQuiet => facts.WhyNotQuiet is { } why ? Plainly(why) : GivingStep.Together,
            GivingStep.Together when facts.GroupIsReady => GivingStep.Leave,
            GivingStep.Leave => WhyPlain is null ? GivingStep.Drain : GivingStep.End,
            GivingStep.Drain when facts.IsActive => GivingStep.End, // again: the other one is gone
            GivingStep.Drain when facts.Open == 0 && now - _since >= ShortestDrain => GivingStep.End,
            GivingStep.Drain when now - _since >= timeout => GivingStep.CutOff,
            GivingStep.CutOff when facts.IsActive || facts.Open == 0 || now - _since >= LastWords => GivingStep.End,
            GivingStep.End => GivingStep.Done,
            GivingStep.Ask or GivingStep.Together or GivingStep.Drain or GivingStep.CutOff or GivingStep.Done => Step,
        };
        if (Step == before)
            return false;
        _since = now;
        return true;
    }

    private GivingStep Plainly(string why)
    {
        WhyPlain = why;
        return GivingStep.Together;
    }
}
