namespace Bascule.Core.Model;

/// <summary>Does a mail server greet us, and take our greeting? RFC 5321 §3.1, §3.2.</summary>
public sealed record SmtpCheck : ConversationCheck
{
    /// <summary>Who we say we are.</summary>
    public required string Hello { get; init; }

    /// <inheritdoc/>
    protected override string Question => "smtp";
}
