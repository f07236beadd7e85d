using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How much must be alive for a virtual server to be served as usual.</summary>
internal static class QuorumSection
{
    public static readonly Setting<int> Up = new("up", new CountForm(1, int.MaxValue))
    {
        Doc = "The sum of the weights of the real servers that are up must reach it. A weight that moves counts as it is, but for a slow start; drained ones count nothing.",
        Example = "up: 2",
        AlsoCalled = ["quorum", "minimum"],
    };

    public static readonly Setting<int> Hysteresis = new("hysteresis", new CountForm(0, int.MaxValue))
    {
        Doc = "The quorum is lost below `up` less this, and gained from `up` plus this, so that one real server that comes and goes does not change it to and fro.",
        Default = 0,
        Source = "keepalived",
        Example = "hysteresis: 1",
    };

    public static readonly Setting<ImmutableArray<string>> OnUp = Command("onUp", "gained", "quorum_up");

    public static readonly Setting<ImmutableArray<string>> OnDown = Command("onDown", "lost", "quorum_down");

    public static readonly Section Section = new("quorum", Up, Hysteresis, OnUp, OnDown)
    {
        Doc = "How much must be alive for a virtual server to be served as usual. Without a quorum new clients go to `fallbackServers`, or else to `sorryServer`; where there is neither, the real servers go on.",
        Place = "in `quorum` of a virtual server",
        Short = Up,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static QuorumRule Meant(Fields fields) => new()
    {
        Up = fields.Get(Up),
        Hysteresis = fields.Get(Hysteresis),
        OnUp = fields.FindValue(OnUp) is { } up ? new(up) : null,
        OnDown = fields.FindValue(OnDown) is { } down ? new(down) : null,
    };

    private static Setting<ImmutableArray<string>> Command(string name, string when, string also) => new(name, ProgramForm.Of(
        new("there is no program to start", "write its path and arguments, such as `[/usr/local/bin/quorum]`")))
    {
        Doc = $"A program that is started when the quorum is {when}, also the first time it is known, with the arguments virtualServer NAME {(when == "lost" ? "down" : "up")} WHY after its own. Of one virtual server one at a time, in order; after 10 s it is killed with all it started.",
        Otherwise = "no program is started",
        Source = $"keepalived {also}",
        Example = $"{name}: [/usr/local/bin/quorum]",
        AlsoCalled = [also],
    };

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (!fields.IsBroken(Hysteresis) && fields.FindValue(Up) is { } up && fields.Get(Hysteresis) >= up)
            problems.Add(fields.AtOf(Hysteresis), $"with a hysteresis of {fields.Get(Hysteresis)} a quorum of {up} is never lost", $"write at most {up - 1}");
        foreach (Setting<ImmutableArray<string>> command in (Setting<ImmutableArray<string>>[])[OnUp, OnDown])
        {
            if (fields.FindValue(command) is [{ } program, ..] && !program.StartsWith('/'))
                problems.Add(fields.AtOf(command), $"{Show.Quoted(program)} is not an absolute path", "write the whole path of the program: it is not looked for");
        }
    }
}
