using Bascule.Core.Api;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>The answers about failover.</summary>
internal static class HaApi
{
    /// <summary><c>GET /v1/ha</c></summary>
    public static async Task StatusAsync(HaAnswers ha, HttpContext context) =>
        await AdminApi.AnswerAsync(context, StatusCodes.Status200OK, await ha.Status(), ApiJson.Readable.HaStatus);

    /// <summary><c>POST /v1/handover?instance=web-vip</c>, or <c>?all=true</c></summary>
    public static async Task HandOverAsync(HaAnswers ha, HttpContext context)
    {
        string? instance = context.Request.Query["instance"].ToString() is { Length: > 0 } name ? name : null;
        bool isAll = context.Request.Query["all"].ToString() == "true";
        if (isAll == instance is not null)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "it does not say what to hand over", "write instance= and a name, or all=true");
            return;
        }

        HaStatus status = await ha.Status();
        if (instance is not null && status.Instances.All(i => i.Name != instance))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, $"there is no instance {instance}", $"there are {string.Join(", ", status.Instances.Select(i => i.Name))}");
            return;
        }

        HandoverResult result = await ha.HandOver(instance);
        int code = result.HandedOver.IsEmpty ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK;
        await AdminApi.AnswerAsync(context, code, result, ApiJson.Readable.HandoverResult);
    }

    private static Task RefuseAsync(HttpContext context, int code, string what, string hint) =>
        AdminApi.AnswerAsync(context, code, new ApiError(what, hint), ApiJson.Readable.ApiError);
}
