using System.CommandLine;
using Bascule.Lab;

namespace Bascule.Commands;

/// <summary><c>bascule lab</c></summary>
internal static class LabCommand
{
    public static Command Build() => new Verb("lab", "A small data centre on this machine to try things in: network namespaces, cables and real traffic. Needs root.", """
        One director, three real servers (alpha, beta, gamma), a client and a router between them, each a network namespace whose
        name begins with `bascule-lab`. Nothing outside of them is touched. `up` builds it and starts everything, `down` removes
        all of it, `demo` builds it, shows what the datapath does step by step, and removes it.
        """)
    {
        Build("up", "Build the lab and start everything in it.", LabRun.UpAsync),
        Demo(),
        Build("down", "Remove the lab: processes, namespaces, files.", LabRun.DownAsync),
    };

    private static Command Demo()
    {
        Option<string> lab = Name();
        Option<bool> pair = new("--pair") { Description = "Two directors that share an address: one is killed, then one hands over." };
        Command command = new("demo", "Build the lab, show step by step what the datapath does, or how one director takes over from another, and remove it.") { lab, pair };
        command.SetAction((result, _) => LabRun.GuardAsync(() =>
            result.GetValue(pair) ? PairDemo.RunAsync(result.GetRequiredValue(lab)) : LabDemo.RunAsync(result.GetRequiredValue(lab))));
        return command;
    }

    private static Command Build(string name, string description, Func<string, Task<int>> run)
    {
        Option<string> lab = Name();
        Command command = new(name, description) { lab };
        command.SetAction((result, _) => LabRun.GuardAsync(() => run(result.GetRequiredValue(lab))));
        return command;
    }

    private static Option<string> Name()
    {
        Option<string> lab = new("--name")
        {
            Description = "The lab's name, with which its namespaces begin. Labs of different names do not disturb each other.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "bascule-lab",
        };
        lab.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !IsName(token.Value))
                result.AddError($"--name must be 1 to 40 letters, digits and `-`, not {token.Value}");
        });
        return lab;
    }

    // It becomes a part of paths.
    private static bool IsName(string text) => text.Length is >= 1 and <= 40 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
