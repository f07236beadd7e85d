using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>What does this program say about it?</summary>
internal static class ScriptKind
{
    public static readonly Setting<ImmutableArray<string>> Command = new("command", ProgramForm.Of(
        new("there is no program to run", "write its absolute path and its arguments, such as `[/usr/local/bin/ok, \"{address}\"]`")))
    {
        Doc = "script: a program by its absolute path, and its arguments, in which `{address}` and `{port}` are those asked. It runs as `user`, without a shell; `timeout` kills it with all it has started. Exit code 0: up. 126 and 127: it, or a program that it runs, could not be executed, which says nothing about the real server, so that stays as it was. Otherwise down, see `dynamicWeight`. What it writes is shown in the status.",
        Otherwise = "script needs it",
        Source = "keepalived MISC_CHECK misc_path",
        Example = "command: [/usr/lib/nagios/plugins/check_http, -I, \"{address}\"]",
        AlsoCalled = ["misc_path", "external-check", "exec", "checkcommand", "program"],
    };

    public static readonly Setting<ValueList<EnvironmentVariable>> Environment = new("environment", new EnvironmentForm())
    {
        Doc = "script: variables in its environment, beside PATH, LANG=C.UTF-8, HOME, BASCULE_ADDRESS and BASCULE_PORT. It has nothing of the daemon's own environment.",
        Default = [],
        Source = "ours; a program that needs none is the rule",
        Example = "environment: { LEVEL: deep }",
        AlsoCalled = ["env"],
        MayBeSecret = true,
    };

    public static readonly Setting<bool> DynamicWeight = new("dynamicWeight", new SwitchForm())
    {
        Doc = "script: exit code 0 keeps the weight, 1 is down, and 2 to 125 is up with the weight code - 2: 2 drains it. From 128 on it is down, for a program that a signal ends counts as 128 and the signal's number.",
        Default = false,
        Source = "keepalived misc_dynamic. Where its manual says that 10 means a weight of 10, its code says 8, and so do we; it takes codes to 255, from which the end by a signal could not be told",
        Example = "dynamicWeight: true",
        AlsoCalled = ["misc_dynamic"],
    };

    public static readonly Setting<bool> LoadWeight = new("loadWeight", new SwitchForm())
    {
        Doc = "script: what it writes says how loaded the real server is, by `load: 0.75` or as `uptime` does, and every 20 s that moves the weight: below 1 up, to ten times the configured weight, above 1 down again, to the configured one.",
        Default = false,
        Source = "Piranha load_monitor, of which nanny's program and manual differ; we follow the program",
        Example = "loadWeight: true",
        AlsoCalled = ["load_monitor", "loadMonitor"],
    };

    public static readonly CheckKind Kind = new("script", "What does this program say about it?", "external", "external-check", "external-perl", "misc_check", "command", "exec")
    {
        Settings = [Command, CheckLogin.User, Environment, DynamicWeight, LoadWeight],
        Meant = fields => new ScriptCheck
        {
            Command = new(fields.Get(Command)),
            User = fields.Find(CheckLogin.User),
            Environment = fields.Get(Environment),
            DynamicWeight = fields.Get(DynamicWeight),
            LoadWeight = fields.Get(LoadWeight),
        },
        Rule = Relate,
        AsksAtPort = false,
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        CheckSection.Require(Command, fields, problems);
        if (fields.FindValue(Command) is [var program, ..] && !program.StartsWith('/'))
            problems.Add(fields.AtOf(Command), $"{Show.Quoted(program)} is not the absolute path of a program", "write the program by its path, as the first item");
        if (fields.FindValue(DynamicWeight) == true && fields.FindValue(LoadWeight) == true)
            problems.Add(fields.AtOf(LoadWeight), "`loadWeight` and `dynamicWeight` both say what the weight is", "keep one: the load that the script writes, or its exit code");
    }
}
