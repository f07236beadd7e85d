using System.Globalization;
using Bascule.Core.Api;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>What answers about the configuration that directors share.</summary>
/// <param name="Report">Its versions, and how the peers stand.</param>
/// <param name="Difference">Ours beside a peer's; null while a peer's is not known.</param>
/// <param name="Take">Decides a conflict: true for ours, false for the peer's.</param>
/// <param name="RollBack">Goes back to the version of a number.</param>
public sealed record ConfigurationAnswers(
    Func<ConfigurationReport> Report, Func<Task<ConfigurationDifference?>> Difference, Func<bool, Task<ReloadResult>> Take, Func<int, Task<ReloadResult>> RollBack);

/// <summary>The answers about the shared configuration.</summary>
internal static class ConfigurationApi
{
    /// <summary><c>GET /v1/config</c></summary>
    public static Task ReportAsync(ConfigurationAnswers configuration, HttpContext context) =>
        AdminApi.AnswerAsync(context, StatusCodes.Status200OK, configuration.Report(), ApiJson.Readable.ConfigurationReport);

    /// <summary><c>GET /v1/config/diff</c></summary>
    public static async Task DifferenceAsync(ConfigurationAnswers configuration, HttpContext context)
    {
        if (await configuration.Difference() is { } difference)
            await AdminApi.AnswerAsync(context, StatusCodes.Status200OK, difference, ApiJson.Readable.ConfigurationDifference);
        else
            await RefuseAsync(context, StatusCodes.Status409Conflict, "no other director has told its configuration yet", "see `bascule ha` for why it cannot be reached");
    }

    /// <summary><c>POST /v1/config/take?which=mine</c>, or <c>theirs</c></summary>
    public static async Task TakeAsync(ConfigurationAnswers configuration, HttpContext context)
    {
        string which = context.Request.Query["which"].ToString();
        if (which is "mine" or "theirs")
            await AdminApi.AnswerAsync(context, await configuration.Take(which == "mine"));
        else
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "it does not say whose configuration to take", "write which=mine or which=theirs");
    }

    /// <summary><c>POST /v1/config/rollback?number=12</c></summary>
    public static async Task RollBackAsync(ConfigurationAnswers configuration, HttpContext context)
    {
        if (int.TryParse(context.Request.Query["number"], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            await AdminApi.AnswerAsync(context, await configuration.RollBack(number));
        else
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "it does not say to which version to go back", "write number= and a number of GET /v1/config");
    }

    private static Task RefuseAsync(HttpContext context, int code, string what, string hint) =>
        AdminApi.AnswerAsync(context, code, new ApiError(what, hint), ApiJson.Readable.ApiError);
}
