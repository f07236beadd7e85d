namespace Bascule.Core.Model;

/// <summary>Does a SIP server answer OPTIONS? RFC 3261 §11.</summary>
public sealed record SipCheck : ConversationCheck
{
    /// <summary>Who is asked; null: the server itself, by its address.</summary>
    public required string? Uri { get; init; }

    /// <summary>How it is asked.</summary>
    public required Transport Transport { get; init; }

    /// <inheritdoc/>
    protected override string Question => Uri is null ? "sip" : $"sip {Uri}";
}
