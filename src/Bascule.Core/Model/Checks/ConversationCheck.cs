namespace Bascule.Core.Model;

/// <summary>A question asked in a conversation over TCP, encrypted or not.</summary>
public abstract record ConversationCheck : Check
{
    /// <summary>What is asked of its TLS; null: nothing is encrypted.</summary>
    public TlsUse? Tls { get; init; }

    /// <inheritdoc/>
    public sealed override string Words => Tls is null ? Question : $"{Question} over TLS";

    /// <summary>What is asked, as the file says it.</summary>
    protected abstract string Question { get; }
}

/// <summary>TLS in a protocol that also goes without.</summary>
/// <param name="Begin">When it begins.</param>
/// <param name="Terms">What is asked of it.</param>
public sealed record TlsUse(TlsBegin Begin, TlsTerms Terms);

/// <summary>When a conversation goes over to TLS.</summary>
public enum TlsBegin
{
    /// <summary>Once the server has agreed to it, in the words of the protocol.</summary>
    StartTls,

    /// <summary>With the first byte.</summary>
    Implicit,
}
