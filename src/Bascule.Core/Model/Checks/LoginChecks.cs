namespace Bascule.Core.Model;

/// <summary>Does a server greet us, and let us in?</summary>
public abstract record LoginCheck : ConversationCheck
{
    /// <summary>Who logs in; null: nobody, and a greeting is enough.</summary>
    public required string? User { get; init; }

    /// <summary>Null: none is needed.</summary>
    public required Password? Password { get; init; }
}

/// <summary>POP3. RFC 1939.</summary>
public sealed record Pop3Check : LoginCheck
{
    /// <inheritdoc/>
    protected override string Question => "pop3";
}

/// <summary>IMAP. RFC 9051.</summary>
public sealed record ImapCheck : LoginCheck
{
    /// <inheritdoc/>
    protected override string Question => "imap";
}

/// <summary>FTP. RFC 959.</summary>
public sealed record FtpCheck : LoginCheck
{
    /// <inheritdoc/>
    protected override string Question => "ftp";
}

/// <summary>LDAP. RFC 4511. Without a user it binds as nobody.</summary>
public sealed record LdapCheck : LoginCheck
{
    /// <summary>The name of an entry that must be there; null: none is asked for.</summary>
    public required string? Base { get; init; }

    /// <inheritdoc/>
    protected override string Question => "ldap";
}

/// <summary>RADIUS. RFC 2865. Without a user it is asked whether it is there: RFC 5997.</summary>
public sealed record RadiusCheck : Check
{
    /// <summary>Bytes that its packet can carry. RFC 2865 §5.2.</summary>
    public const int LongestPassword = 128;

    /// <inheritdoc cref="LongestPassword"/>
    public const int LongestUser = 253; // RFC 2865 §5: a length of one byte, less what stands before the value

    /// <inheritdoc cref="LoginCheck.User"/>
    public required string? User { get; init; }

    /// <inheritdoc cref="LoginCheck.Password"/>
    public required Password? Password { get; init; }

    /// <summary>That we share with it.</summary>
    public required Password Secret { get; init; }

    /// <inheritdoc/>
    public override string Words => "radius";
}
