using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>Does a database answer?</summary>
internal static class DatabaseKinds
{
    public static readonly Setting<string> Database = new("database", CheckTexts.Plain("the name of a database", 63))
    {
        Doc = "mysql, postgres: the database that is opened.",
        Otherwise = "postgres: the one named as `user`; mysql: none",
        Source = "ldirectord database",
        Example = "database: shop",
        AlsoCalled = ["db", "dbname"],
    };

    public static readonly Setting<string> Query = new("query", CheckTexts.Plain("a query", 4096))
    {
        Doc = "mysql, postgres: a query that must give at least one row. It is sent as it is, each time.",
        Otherwise = "to be logged in is enough",
        Source = "ldirectord request",
        Example = "query: SELECT 1 FROM orders LIMIT 1",
        AlsoCalled = ["sql", "statement", "request"],
    };

    public static readonly Setting<DatabaseRole> Role = new("role", new ChoiceForm<DatabaseRole>(
        new("primary", DatabaseRole.Primary, "It takes writes: redis: its ROLE is master; postgres: it is not in recovery; mysql: read_only is off.", "master", "leader", "rw"),
        new("replica", DatabaseRole.Replica, "It is a copy, which only reads.", "slave", "standby", "secondary", "ro")))
    {
        Doc = "redis, mysql, postgres: what it must be, so that a virtual server for writes has the one that takes them.",
        Otherwise = "either is good",
        Source = "ours; with HAProxy it takes a script or a second port",
        Example = "role: primary",
    };

    public static readonly Setting<bool> ClearPassword = new("clearPassword", new SwitchForm())
    {
        Doc = "mysql, postgres: without `tls`, a server that asks for the password itself is told it (postgres: `password` in pg_hba.conf; mysql: caching_sha2_password, by a key that the server hands out for it). Whoever answers at the real server's address can ask so, and then knows the password.",
        Default = false,
        Source = "MySQL's clients, --get-server-public-key; libpq tells everybody, unless require_auth forbids it",
        Example = "clearPassword: true",
        AlsoCalled = ["get-server-public-key", "allowPublicKeyRetrieval", "require_auth"],
    };

    public static readonly CheckKind Redis = new("redis", "Does a Redis or Valkey answer PING?", "redis-check", "valkey")
    {
        TakesProxyHeader = true,
        Settings = [.. CheckLogin.Settings, Role],
        Tls = [TlsBegin.Implicit],
        Meant = fields => new RedisCheck
        {
            User = fields.Find(CheckLogin.User),
            Password = CheckLogin.Meant(fields),
            Role = fields.FindValue(Role),
        },
        Rule = RelateRedis,
    };

    private static readonly ImmutableArray<Setting> OfSql = [.. CheckLogin.Settings, ClearPassword, Database, Query, Role];

    public static readonly CheckKind Postgres = new("postgres", "Does a PostgreSQL answer, and, once logged in, a query?", "pgsql", "pgsql-check", "postgresql")
    {
        TakesProxyHeader = true,
        Settings = OfSql,
        Tls = [TlsBegin.StartTls],
        Meant = fields => Meant(new PostgresCheck(), fields),
        Rule = (fields, problems) => CheckLogin.Relate(fields, problems, ClearPassword, Database, Query, Role),
    };

    public static readonly CheckKind Mysql = new("mysql", "Does a MySQL or MariaDB answer, and, once logged in, a query?", "mysql-check", "mariadb")
    {
        TakesProxyHeader = true,
        Settings = OfSql,
        Tls = [TlsBegin.StartTls],
        Meant = fields => Meant(new MysqlCheck(), fields),
        Rule = (fields, problems) => CheckLogin.Relate(fields, problems, ClearPassword, Database, Query, Role),
    };

    private static SqlCheck Meant(SqlCheck check, Fields fields) => check with
    {
        User = fields.Find(CheckLogin.User),
        Password = CheckLogin.Meant(fields),
        SaysPassword = fields.Get(ClearPassword),
        Database = fields.Find(Database),
        Query = fields.Find(Query),
        Role = fields.FindValue(Role),
    };

    // Redis has a default user, so that a password alone is enough.
    private static void RelateRedis(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(CheckLogin.User) && !fields.IsWritten(CheckLogin.Password))
            problems.Add(fields.AtOf(CheckLogin.User), "Redis knows no user without a password", $"add `{CheckLogin.Password.Example}`");
    }
}
