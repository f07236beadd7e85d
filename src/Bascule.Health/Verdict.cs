using Bascule.Core.Health;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>What a probe found out.</summary>
/// <param name="Why">A short sentence without a full stop.</param>
/// <param name="WasAsked">False when the director itself could not ask; that says nothing about the real server.</param>
internal readonly record struct Verdict(bool Passed, string Why, bool WasAsked = true)
{
    /// <inheritdoc cref="CheckAnswer.Weight"/>
    public WeightAdvice? Weight { get; init; }

    /// <inheritdoc cref="CheckAnswer.Load"/>
    public double? Load { get; init; }

    /// <inheritdoc cref="CheckAnswer.Wish"/>
    public AdministrativeState? Wish { get; init; }

    /// <inheritdoc cref="CheckAnswer.Warning"/>
    public string? Warning { get; init; }

    /// <inheritdoc cref="CheckAnswer.Output"/>
    public string? Output { get; init; }

    public static Verdict Pass(string why) => new(true, why);

    public static Verdict Failed(string why) => new(false, why);

    public static Verdict NotAsked(string why) => new(false, why, WasAsked: false);

    /// <summary>As the record takes it; only for a verdict that <see cref="WasAsked"/>.</summary>
    /// <remarks>Whatever a real server says goes through here on its way to the log, the status and the terminal of an operator.</remarks>
    public CheckAnswer ToAnswer(TimeSpan took)
    {
        string why = Said.Line(Why);
        return new(Passed, Passed ? $"{why} in {Math.Ceiling(took.TotalMilliseconds):0} ms" : why, took)
        {
            Weight = Weight,
            Load = Load,
            Wish = Wish,
            Warning = Warning is null ? null : Said.Line(Warning),
            Output = Output is null ? null : Said.Lines(Output),
        };
    }
}
