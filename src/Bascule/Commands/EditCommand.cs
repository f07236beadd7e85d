using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Config.Editing;

namespace Bascule.Commands;

/// <summary><c>bascule add</c>, <c>edit</c>, <c>delete</c>, <c>weight</c> and <c>save</c>: the configuration, changed from the shell.</summary>
internal static class EditCommand
{
    private const string HowLong = """
        It is checked like the file, put in force at once or not at all, and shown as a difference of the configuration's lines. It
        lasts until the next reload or restart; --save writes what is then in force to the file, and changes no other line of it.
        """;

    public static IEnumerable<Command> BuildAll() => [Add(), Edit(), Delete(), Weight(), Save()];

    private static Verb Add()
    {
        Argument<string> name = new("name") { Description = "WEB for a virtual server, WEB/ADDRESS:PORT for a real server of it." };
        Argument<string[]> settings = Settings();
        Verb command = new("add", "Add a virtual server, or a real server to one.", $"""
            bascule add web/10.0.0.13:8080 weight=3
            bascule add shop address=192.0.2.11:80 protocol=http 'realServers=[10.0.0.21:8080, 10.0.0.22:8080]'

            {HowLong}
            """)
        {
            name, settings,
        };
        return Changing(command, result => new() { Kind = ChangeKind.Add, Name = result.GetRequiredValue(name), Settings = [.. result.GetRequiredValue(settings).Select(Setting)] });
    }

    private static Verb Edit()
    {
        Argument<string> name = Name();
        Argument<string[]> settings = Settings();
        settings.Arity = ArgumentArity.OneOrMore;
        Verb command = new("edit", "Change settings of a virtual server or real server.", $"""
            bascule edit web scheduler=mh persistence.timeout=10m
            bascule edit web/10.0.0.13 maxConnections=500
            bascule edit web check.path=           nothing after the equals sign: the setting goes, its default counts

            {HowLong}
            """)
        {
            name, settings,
        };
        return Changing(command, result => new() { Kind = ChangeKind.Edit, Name = result.GetRequiredValue(name), Settings = [.. result.GetRequiredValue(settings).Select(Setting)] });
    }

    private static Verb Delete()
    {
        Argument<string> name = Name();
        Verb command = new("delete", "Take a virtual server or real server out of the configuration.", $"""
            It gets nothing new, and what is under way there finishes, as at a reload; `bascule drain WEB/ADDRESS --wait` before says
            when that is, and lets sessions end.
            {HowLong}
            """)
        {
            name,
        };
        return Changing(command, result => new() { Kind = ChangeKind.Delete, Name = result.GetRequiredValue(name) });
    }

    private static Verb Weight()
    {
        Argument<string> name = new("name") { Description = "WEB/ADDRESS or WEB/ADDRESS:PORT." };
        Argument<int> weight = new("weight") { Description = "0 to 65535." };
        Verb command = new("weight", "Give a real server another weight.", HowLong) { name, weight };
        command.Validators.Add(result =>
        {
            if (result.GetValue(name) is { } given && !given.Contains('/', StringComparison.Ordinal))
                result.AddError($"A weight is a real server's: write {given}/ADDRESS.");
        });
        return Changing(command, result => new()
        {
            Kind = ChangeKind.Edit,
            Name = result.GetRequiredValue(name),
            Settings = [new("weight", result.GetRequiredValue(weight).ToString(CultureInfo.InvariantCulture))],
        });
    }

    private static Verb Save()
    {
        Verb command = new("save", "Write what is in force to the configuration file.", """
            For changes that were made with add, edit, delete or weight, without --save. Nothing happens when there are none.
            """);
        return Asking(command, (_, dryRun, by) => new() { Save = true, DryRun = dryRun, By = by });
    }

    private static Argument<string> Name() => new("name") { Description = "WEB for a virtual server, WEB/ADDRESS or WEB/ADDRESS:PORT for a real server of it." };

    private static Argument<string[]> Settings()
    {
        Argument<string[]> settings = new("setting=value") { Description = "As in the file; dots for what stands inside another setting: check.interval=1s.", Arity = ArgumentArity.ZeroOrMore };
        settings.Validators.Add(result =>
        {
            foreach (string token in result.Tokens.Select(t => t.Value).Where(t => t.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"`{token}` is not SETTING=VALUE.");
        });
        return settings;
    }

    private static SettingChange Setting(string token)
    {
        int equals = token.IndexOf('=', StringComparison.Ordinal);
        return new(token[..equals], equals + 1 == token.Length ? null : token[(equals + 1)..]);
    }

    private static Verb Changing(Verb command, Func<ParseResult, ConfigurationChange> change)
    {
        Option<bool> save = new("--save") { Description = "Write what is then in force to the configuration file, where directors share it also to the other's." };
        command.Add(save);
        return Asking(command, (result, dryRun, by) => new() { Change = change(result), Save = result.GetValue(save), DryRun = dryRun, By = by });
    }

    private static Verb Asking(Verb command, Func<ParseResult, bool, string, EditRequest> request)
    {
        Option<bool> dryRun = new("--dry-run") { Description = "Only show what would be different, and whether it is valid." };
        Option<bool> json = Shared.Json();
        Option<string?> socket = Shared.Socket();
        Option<string?> file = Shared.File();
        command.Add(dryRun);
        command.Add(json);
        command.Add(socket);
        command.Add(file);
        command.SetAction((result, cancellation) => RunAsync(
            request(result, result.GetValue(dryRun), Shared.Operator()), result.GetValue(json), AdminClient.SocketOf(result.GetValue(socket), result.GetValue(file)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(EditRequest request, bool json, string? socket, CancellationToken cancellation)
    {
        if (socket is null)
            return ExitCode.Failed;
        using AdminClient daemon = new(socket);
        if (await daemon.EditAsync(request, cancellation) is not { } result)
            return ExitCode.Failed;
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(result, ApiJson.Readable.EditResult));
        else
            Show(request, result);
        return result.Reload.Applied ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Show(EditRequest request, EditResult result)
    {
        foreach (string line in result.Difference)
            Console.Out.WriteLine(line);
        foreach (string line in result.Reload.Problems.Concat(result.Reload.Warnings))
            Console.Error.WriteLine(line);
        Console.Error.WriteLine((result.Reload.Applied, request.DryRun) switch
        {
            (false, _) => "Nothing was changed: the daemon runs on with the configuration it had.",
            (true, true) => result.Difference.IsEmpty ? "Nothing would be different." : "Valid; nothing was changed.",
            (true, false) when result.Difference.IsEmpty => "Nothing is different.",
            (true, false) => $"In force{(result.IsSaved ? ", and saved" : "; not in the file: `bascule save` keeps it, the next reload or restart drops it")}.",
        });
    }
}
