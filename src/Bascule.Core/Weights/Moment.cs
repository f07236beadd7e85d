namespace Bascule.Core.Weights;

/// <summary>Now, twice: what waits goes by a clock that nobody sets, what operators read by the one on the wall.</summary>
/// <param name="Elapsed">Since an arbitrary moment.</param>
/// <param name="Utc">For people.</param>
public readonly record struct Moment(TimeSpan Elapsed, DateTimeOffset Utc);
