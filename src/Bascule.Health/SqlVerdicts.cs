using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>What is asked of databases, and what their answers come to: the same for every one of them.</summary>
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

    /// <summary>Asks what is to be asked once somebody is logged in.</summary>
    /// <param name="aboutRole">The query by which a replica is known,</param>
    /// <param name="isReplica">by what it gives.</param>
    /// <param name="queryAsync">Asks the database.</param>
    public static async ValueTask<Verdict> AskAsync(SqlCheck check, string aboutRole, Func<string?, bool> isReplica, Func<string, ValueTask<SqlResult>> queryAsync)
    {
        if (check.Role is { } role)
        {
            SqlResult result = await queryAsync(aboutRole);
            if (result.Error is { } error)
                return QueryRefused(error);
            DatabaseRole found = isReplica(result.First) ? DatabaseRole.Replica : DatabaseRole.Primary;
            if (found != role)
                return Verdict.Failed($"it is a {DatabaseRoles.Word(found)}");
        }

        if (check.Query is { } query)
        {
            SqlResult result = await queryAsync(query);
            if (result.Error is { } error)
                return QueryRefused(error);
            if (result.Rows == 0)
                return Verdict.Failed("the query gave no row");
        }

        return Verdict.Pass($"logged in{(check.Role is { } wanted ? $", {DatabaseRoles.Word(wanted)}" : "")}{(check.Query is null ? "" : ", the query gave a row")}");
    }

    private static Verdict QueryRefused(string message) => Verdict.Failed($"the query was refused: {Conversation.Show(message)}");
}

/// <summary>What a query gave.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="First">The first column of the first row, as text; null: none, or NULL.</param>
/// <param name="Error">What the database complained of; null: nothing.</param>
internal readonly record struct SqlResult(int Rows, string? First, string? Error);
