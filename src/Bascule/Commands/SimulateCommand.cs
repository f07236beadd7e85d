using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Core.States;
using Bascule.Simulation;

namespace Bascule.Commands;

/// <summary><c>bascule simulate</c></summary>
internal static class SimulateCommand
{
    private const int MostRequests = 10_000_000;

    /// <summary>The command line as given.</summary>
    private sealed record Wanted(string File, ImmutableArray<string> VirtualServers, Question Question, string? Svg, bool Json);

    public static Command Build()
    {
        Argument<string> file = new("FILE") { Description = "The configuration file." };
        Option<string[]> virtualServers = new("--virtual-server", "-v") { Description = "Only this one; may be given several times.", HelpName = "NAME" };
        Option<int> clients = Number("--clients", 10_000, 1, 1_000_000, "How many clients are drawn for each virtual server.");
        Option<int> requests = Number("--requests", 1, 1, 10_000, "How many connections or requests each of them makes.");
        Option<int> seed = Number("--seed", 1, 0, int.MaxValue, "Of chance: the same seed draws the same clients.");
        Option<string[]> failing = new("--fail", "-f") { Description = "A real server that fails half-way; may be given several times.", HelpName = "ADDRESS" };
        Option<string[]> weights = new("--weight", "-w") { Description = "A weight that is another half-way; may be given several times.", HelpName = "ADDRESS=N" };
        Option<string?> svg = new("--svg") { Description = "Draw the shares into this file.", HelpName = "FILE" };
        Option<bool> json = Shared.Json();
        Verb command = new("simulate", "Show how a configuration would share out clients, and whom a failure would move.", """
            Runs the schedulers of the file over drawn clients; nothing is sent, and no daemon is needed. With --fail or --weight the
            same clients come again after the change, and those who meet another real server are counted. Every real server
            takes the same time for a request, and ten for each are always under way.
              bascule simulate bascule.yaml --fail 10.0.0.11 --svg shares.svg
            """)
        {
            file, virtualServers, clients, requests, seed, failing, weights, svg, json,
        };
        failing.Validators.Add(result => Complain(result, result.Tokens.Select(t => t.Value).Where(t => !IsAddress(t)), "is not an address, such as 10.0.0.11 or 10.0.0.11:8080"));
        weights.Validators.Add(result => Complain(result, result.Tokens.Select(t => t.Value).Where(t => !TryWeight(t, out _)), "is not ADDRESS=N with a weight from 0 to 65535, such as 10.0.0.11=5"));
        command.SetAction(result => Run(new(
            result.GetRequiredValue(file),
            [.. result.GetValue(virtualServers) ?? []],
            new(result.GetValue(clients), result.GetValue(requests), result.GetValue(seed), [.. result.GetValue(failing) ?? []], Weights(result.GetValue(weights))),
            result.GetValue(svg),
            result.GetValue(json))));
        return command;
    }

    private static Option<int> Number(string name, int unlessTold, int least, int most, string description)
    {
        Option<int> option = new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => unlessTold };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most))
                result.AddError($"{name} must be a number from {least} to {most}, not {token.Value}");
        });
        return option;
    }

    private static void Complain(OptionResult result, IEnumerable<string> wrong, string why)
    {
        foreach (string text in wrong)
            result.AddError($"{result.Option.Name} {text}: this {why}");
    }

    private static int Run(Wanted wanted)
    {
        CheckedConfiguration read = ConfigurationFile.LoadToRun(wanted.File);
        if (read.Meant is not { } configuration)
        {
            CheckCommand.Complain(wanted.File, read);
            return ExitCode.Failed;
        }

        ImmutableArray<VirtualServer> chosen = wanted.VirtualServers.IsEmpty
            ? [.. configuration.VirtualServers]
            : [.. configuration.VirtualServers.Where(v => wanted.VirtualServers.Contains(v.Name))];
        if (WhatIsWrong(wanted, chosen) is { } complaint)
        {
            Console.Error.WriteLine(complaint);
            return ExitCode.Failed;
        }

        Question question = wanted.Question;
        Forecast forecast = new(wanted.File, question.Clients, question.Requests, question.Seed, question.HasChange, [.. chosen.Select(v => Simulator.Of(configuration, v, question))]);
        Console.Out.Write(wanted.Json ? JsonSerializer.Serialize(forecast, ProgramJson.Readable.Forecast) + "\n" : ForecastTable.Write(forecast));
        return wanted.Svg is null || TryDraw(wanted.Svg, forecast) ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Among others, what was named and is nowhere: a slip of the pen would otherwise look like a failure that harms nobody.</summary>
    private static string? WhatIsWrong(Wanted wanted, ImmutableArray<VirtualServer> chosen)
    {
        if ((long)wanted.Question.Clients * wanted.Question.Requests > MostRequests)
            return $"--clients times --requests may be {MostRequests} at most.";
        if (wanted.VirtualServers.FirstOrDefault(name => chosen.All(v => v.Name != name)) is { } missing)
            return $"{wanted.File} has no virtual server {missing}.";
        IEnumerable<string> named = [.. wanted.Question.Failing, .. wanted.Question.Weights.Select(w => w.RealServer)];
        ImmutableArray<IPEndPoint> known = [.. chosen.SelectMany(v => v.RealServers).Select(r => r.Address)];
        return named.FirstOrDefault(name => !chosen.Any(v => StateNames.FindRealServers(v, name).Any())) is { } unknown
            ? $"{wanted.File} has no real server {unknown}. There are {string.Join(", ", known.Distinct().Take(10))}{(known.Length > 10 ? ", …" : "")}."
            : null;
    }

    private static bool TryDraw(string file, Forecast forecast)
    {
        try
        {
            File.WriteAllText(file, ForecastPicture.Write(forecast));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Cannot write {file}: {e.Message}");
            return false;
        }
    }

    private static ImmutableArray<(string, int)> Weights(string[]? texts) => [.. (texts ?? []).Select(t => TryWeight(t, out (string, int) weight) ? weight : default)];

    private static bool IsAddress(string text) => IPEndPoint.TryParse(text, out _);

    private static bool TryWeight(string text, out (string RealServer, int Weight) weight)
    {
        weight = default;
        int equals = text.LastIndexOf('=');
        if (equals < 0 || !IsAddress(text[..equals])
            || !int.TryParse(text[(equals + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > ushort.MaxValue)
            return false;
        weight = (text[..equals], value);
        return true;
    }
}
