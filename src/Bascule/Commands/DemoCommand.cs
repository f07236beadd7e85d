using System.CommandLine;
using Bascule.Demo;

namespace Bascule.Commands;

/// <summary><c>bascule demo</c></summary>
internal static class DemoCommand
{
    private const int LastPort = 65534; // the TCP virtual server takes the next one

    public static Command Build()
    {
        Option<int> port = new("--port")
        {
            Description = "Where the HTTP virtual server listens; the TCP one takes the next port.",
            HelpName = "PORT",
            DefaultValueFactory = _ => 8080,
        };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int value) && value is >= 1 and <= LastPort))
                result.AddError($"--port must be a number from 1 to {LastPort}, not {token.Value}");
        });
        Option<int?> seconds = new("--seconds")
        {
            Description = "End by itself after that long, with exit code 0 if all three servers served both ways, else 1.",
            HelpName = "N",
        };
        seconds.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int value) && value is >= 1 and <= 86400))
                result.AddError($"--seconds must be a number from 1 to 86400, not {token.Value}");
        });
        Verb command = new("demo", "Show it at work: three small web servers and a director before them, on this machine alone.", """
            Needs no root, no file and no network: everything listens on 127.0.0.1. Starts three web servers (alpha, beta and
            gamma) as processes of their own, balances HTTP and TCP over them, sends a little traffic itself, and shows what
            happens. Kill any of the servers and watch. Ctrl-C ends it and leaves nothing behind.
            """)
        {
            port, seconds,
        };
        command.SetAction((result, _) => DemoRun.RunAsync(result.GetRequiredValue(port), result.GetValue(seconds)));
        return command;
    }
}
