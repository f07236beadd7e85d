using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Bascule.Commands;

/// <summary>A command with one line for the list of commands, and more to read in its own help.</summary>
internal sealed class Verb(string name, string description, string details) : Command(name, description)
{
    /// <summary>Makes <c>--help</c> print the details after what the library prints.</summary>
    public static void ShowDetailsInHelp(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new DetailedHelp((SynchronousCommandLineAction)help.Action!);
    }

    private void WriteDetails(TextWriter to)
    {
        foreach (string line in details.Split('\n'))
            to.WriteLine($"  {line}".TrimEnd());
        to.WriteLine();
    }

    private sealed class DetailedHelp(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = usual.Invoke(parseResult);
            if (parseResult.CommandResult.Command is Verb verb)
                verb.WriteDetails(parseResult.InvocationConfiguration.Output);
            return code;
        }
    }
}
