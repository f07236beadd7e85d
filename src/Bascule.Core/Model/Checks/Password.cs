namespace Bascule.Core.Model;

/// <summary>Where a check's password comes from.</summary>
public abstract record Password;

/// <summary>It stands in the configuration.</summary>
public sealed record GivenPassword(string Text) : Password
{
    /// <summary>Never shows it.</summary>
    public override string ToString() => "(a password)";
}

/// <summary>It is the first line of a file, read for each check: who writes another one there need not reload.</summary>
public sealed record PasswordFile(string Path) : Password;
