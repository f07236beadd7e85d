using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>What databases' answers come to: the same for every one of them.</summary>
internal static class SqlVerdicts
{
    /// <summary>It was asked for TLS.</summary>
    public static Verdict NoTls { get; } = Verdict.Failed("no TLS: it does not offer it");

    /// <summary>It asks for the password itself.</summary>
    /// <param name="by">This is what it is called there.</param>
    public static Verdict KeepsPassword(string by) =>
        Verdict.Failed($"it wants the password itself ({by}), which is not sent without TLS: write `tls: starttls`, or `clearPassword: true`");

    /// <summary>A login was refused with this.</summary>
    public static Verdict LoginRefused(string message) => Verdict.Failed($"the login was refused: {Conversation.Show(message)}");

    /// <summary>A query was refused with this.</summary>
    public static Verdict QueryRefused(string message) => Verdict.Failed($"the query was refused: {Conversation.Show(message)}");

    /// <summary>It is a <paramref name="role"/>.</summary>
    public static Verdict WrongRole(DatabaseRole role) => Verdict.Failed($"it is a {DatabaseRoles.Word(role)}");

    /// <summary>Everything that was asked is as it should be.</summary>
    public static Verdict Passed(SqlCheck check) =>
        Verdict.Pass($"logged in{(check.Role is { } role ? $", {DatabaseRoles.Word(role)}" : "")}{(check.Query is null ? "" : ", the query gave a row")}");
}

/// <summary>What a query gave.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="First">The first column of the first row, as text; null: none, or NULL.</param>
/// <param name="Error">What the database complained of; null: nothing.</param>
internal readonly record struct SqlResult(int Rows, string? First, string? Error);
