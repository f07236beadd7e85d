namespace Bascule.Core.Model;

/// <summary>A conversation over TCP, word for word.</summary>
public sealed record SendExpectCheck : ConversationCheck
{
    /// <summary>In order; at least one.</summary>
    public required ValueList<TalkStep> Steps { get; init; }

    /// <inheritdoc/>
    protected override string Question => $"send-expect, {Steps.Count} {(Steps.Count == 1 ? "step" : "steps")}";
}

/// <summary>One step of a conversation.</summary>
public abstract record TalkStep;

/// <summary>We say this.</summary>
public sealed record SendStep(ValueList<byte> Bytes) : TalkStep;

/// <summary>The real server is to say this; what it said before is skipped, what follows is left for the next step.</summary>
public sealed record ExpectBytesStep(ValueList<byte> Bytes) : TalkStep;

/// <summary>
/// The real server is to say what this .NET regular expression matches, without backtracking. Bytes are read as Latin-1, one character each, so that nothing is lost.
/// </summary>
public sealed record ExpectMatchStep(string Pattern) : TalkStep;
