using System.CommandLine;
using Bascule.Core.Config;

namespace Bascule.Commands;

/// <summary><c>bascule config</c></summary>
internal static class ConfigCommand
{
    public static Command Build()
    {
        Command schema = new("schema", "Print a JSON Schema of the configuration file, for editors that complete and check as you type.");
        schema.SetAction(_ => Console.Out.Write(JsonSchema.Write()));
        Command reference = new("reference", "Print every setting with its type, range and default, as Markdown.");
        reference.SetAction(_ => Console.Out.Write(ReferencePage.Write()));
        return new("config", "Print what can be written in the configuration file.") { schema, reference };
    }
}
