using System.Collections.Immutable;
using Bascule.Core.Config.Editing;

namespace Bascule.Core.Api;

/// <summary>A change of the configuration: the body of <c>POST /v1/edit</c>.</summary>
public sealed record EditRequest
{
    /// <summary>What is changed; null with <see cref="Save"/>: nothing, but what is in force is written to the file.</summary>
    public ConfigurationChange? Change { get; init; }

    /// <summary>Whether what is then in force is written to the file; otherwise it lasts until the next reload.</summary>
    public bool Save { get; init; }

    /// <summary>Whether it is only looked at: nothing is changed.</summary>
    public bool DryRun { get; init; }

    /// <summary>Who says so; at most 200 characters.</summary>
    public string By { get => field ?? ""; init; } // the serializer gives null to what a body leaves out
}

/// <summary>What came of it: <c>POST /v1/edit</c>.</summary>
/// <param name="Reload">As of a reload; of a dry run, whether it would be applied.</param>
/// <param name="Difference">What is different in the text, each line after a space, <c>-</c> or <c>+</c>; with <see cref="EditRequest.Save"/> beside the file, otherwise beside what was in force.</param>
/// <param name="IsSaved">Whether the file says the same as what is in force.</param>
public sealed record EditResult(ReloadResult Reload, ImmutableArray<string> Difference, bool IsSaved);

/// <summary>A change that is in force and not in the file.</summary>
/// <param name="Words">In the words of the command line: <c>edit web/10.0.0.11:8080 weight=3</c>.</param>
/// <param name="By">Who made it.</param>
/// <param name="At">When, UTC.</param>
public sealed record UnsavedChange(string Words, string By, DateTimeOffset At);
