namespace Bascule.Core.Model;

/// <summary>Does a Redis (or Valkey) answer PING?</summary>
public sealed record RedisCheck : ConversationCheck
{
    /// <summary>Who logs in; null: the default user.</summary>
    public required string? User { get; init; }

    /// <summary>Null: nobody logs in.</summary>
    public required Password? Password { get; init; }

    /// <summary>What it must be; null: either.</summary>
    public required DatabaseRole? Role { get; init; }

    /// <inheritdoc/>
    protected override string Question => Role is null ? "redis" : $"redis {DatabaseRoles.Word(Role.Value)}";
}

/// <summary>Does a database answer, and, once logged in, a query?</summary>
public abstract record SqlCheck : ConversationCheck
{
    /// <summary>Who logs in; null: nobody, and it is enough that it asks who is there.</summary>
    public string? User { get; init; }

    /// <summary>Null: none is needed.</summary>
    public Password? Password { get; init; }

    /// <summary>Whether a server that asks for the password itself is told it, also when nothing is encrypted.</summary>
    public bool SaysPassword { get; init; }

    /// <summary>The database that is opened; null: the server's choice.</summary>
    public string? Database { get; init; }

    /// <summary>A query that must give at least one row; null: nothing is asked.</summary>
    public string? Query { get; init; }

    /// <summary>What it must be; null: either.</summary>
    public DatabaseRole? Role { get; init; }

    /// <inheritdoc/>
    protected sealed override string Question => Role is null ? Kind : $"{Kind} {DatabaseRoles.Word(Role.Value)}";

    /// <summary>The word of the kind.</summary>
    protected abstract string Kind { get; }
}

/// <summary>PostgreSQL.</summary>
public sealed record PostgresCheck : SqlCheck
{
    /// <inheritdoc/>
    protected override string Kind => "postgres";
}

/// <summary>MySQL or MariaDB.</summary>
public sealed record MysqlCheck : SqlCheck
{
    /// <inheritdoc/>
    protected override string Kind => "mysql";
}

/// <summary>What a database is among its copies.</summary>
public enum DatabaseRole
{
    /// <summary>The one that is written to.</summary>
    Primary,

    /// <summary>A copy that is only read.</summary>
    Replica,
}

/// <summary>The words of <see cref="DatabaseRole"/>.</summary>
public static class DatabaseRoles
{
    /// <summary>As the file says it.</summary>
    public static string Word(DatabaseRole role) => role switch
    {
        DatabaseRole.Primary => "primary",
        DatabaseRole.Replica => "replica",
    };
}
