using System.Collections.Immutable;

namespace Bascule.Simulation;

/// <summary>What a configuration would do with drawn clients.</summary>
/// <param name="Clients">How many were drawn for each virtual server.</param>
/// <param name="Requests">How many connections or requests each of them makes.</param>
/// <param name="Seed">Of chance: the same seed draws the same clients.</param>
/// <param name="HasChange">Whether something fails or changes half-way; otherwise what is said of afterwards is what was before.</param>
internal sealed record Forecast(string File, int Clients, int Requests, int Seed, bool HasChange, ImmutableArray<VirtualServerForecast> VirtualServers);

/// <summary>The forecast for one virtual server.</summary>
/// <param name="Refused">Requests that nobody took, before the change.</param>
/// <param name="RefusedAfter">The same, after it.</param>
/// <param name="Moved">Clients who meet another real server after the change than before.</param>
/// <param name="MovedWithoutNeed">Those of them whose real server could still have been given to them.</param>
internal sealed record VirtualServerForecast(
    string Name, string Scheduler, ImmutableArray<RealServerForecast> RealServers, int Refused, int RefusedAfter, int Moved, int MovedWithoutNeed);

/// <summary>The forecast for one real server. Shares are of all requests, from 0 to 1.</summary>
/// <param name="Change">What becomes of it half-way, such as <c>fails</c> or <c>weight 5</c>; null: nothing.</param>
/// <param name="Wanted">The share its weight asks for; null where the scheduler does not go by shares.</param>
/// <param name="Lost">Clients who meet another one after the change.</param>
internal sealed record RealServerForecast(
    string Address, int Weight, string? Change, double? Wanted, double Got, double? WantedAfter, double GotAfter, int Lost);
