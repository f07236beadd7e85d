namespace Bascule.Core.Model;

/// <summary>What does the agent that runs on it say? The line that HAProxy's agent-check reads.</summary>
public sealed record AgentCheck : Check
{
    /// <summary>Sent first; null: nothing.</summary>
    public required ValueList<byte>? Question { get; init; }

    /// <inheritdoc/>
    public override string Words => "agent";
}
