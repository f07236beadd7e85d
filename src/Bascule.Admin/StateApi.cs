using System.Collections.Immutable;
using Bascule.Core.Api;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>What answers about operators' states; null with a refusal when there is no such server.</summary>
/// <param name="Say">Does what an operator wants.</param>
/// <param name="Progress">How far each real server of a name is.</param>
public sealed record StateAnswers(
    Func<StateRequest, (StateResult? Result, ApiError? Refusal)> Say, Func<string, (ImmutableArray<StateProgress> Progress, ApiError? Refusal)> Progress)
{
    private static readonly ApiError Nothing = new("there are no virtual servers", "look at the daemon's log");

    /// <summary>Knows no server.</summary>
    public static StateAnswers None { get; } = new(_ => (null, Nothing), _ => ([], Nothing));
}

/// <summary>The answers about operators' states.</summary>
internal static class StateApi
{
    /// <summary><c>POST /v1/state</c></summary>
    public static async Task SayAsync(StateAnswers states, HttpContext context)
    {
        if (await AdminApi.BodyAsync(context, ApiJson.Requests.StateRequest) is not { } request)
            return;
        if (request.Names.Contains(null!))
        {
            await AdminApi.RefuseAsync(context, StatusCodes.Status400BadRequest, "one of the names is null", "name virtual servers or real servers");
            return;
        }

        (StateResult? result, ApiError? refusal) = states.Say(request);
        if (result is not null)
            await AdminApi.AnswerAsync(context, StatusCodes.Status200OK, result, ApiJson.Readable.StateResult);
        else
            await AdminApi.AnswerAsync(context, StatusCodes.Status404NotFound, refusal!, ApiJson.Readable.ApiError);
    }

    /// <summary><c>GET /v1/state?name=web/10.0.0.11</c></summary>
    public static async Task ProgressAsync(StateAnswers states, HttpContext context)
    {
        (ImmutableArray<StateProgress> progress, ApiError? refusal) = states.Progress(context.Request.Query["name"].ToString());
        if (refusal is null)
            await AdminApi.AnswerAsync(context, StatusCodes.Status200OK, [.. progress], ApiJson.Readable.StateProgressArray);
        else
            await AdminApi.AnswerAsync(context, StatusCodes.Status404NotFound, refusal, ApiJson.Readable.ApiError);
    }
}
