using Bascule.Core.Api;
using Microsoft.AspNetCore.Http;

namespace Bascule.Admin;

/// <summary>The answers about changes of the configuration.</summary>
internal static class EditApi
{
    /// <summary><c>POST /v1/edit</c></summary>
    public static async Task EditAsync(Func<EditRequest, Task<EditResult>> edit, HttpContext context)
    {
        if (await AdminApi.BodyAsync(context, ApiJson.Requests.EditRequest) is not { } request)
            return;
        if (request.Change?.Settings.Contains(null!) ?? false)
        {
            await AdminApi.RefuseAsync(context, StatusCodes.Status400BadRequest, "one of the settings is null", "send each as { \"name\": …, \"value\": … }");
            return;
        }

        if (request.Change is null && !request.Save)
        {
            await AdminApi.RefuseAsync(context, StatusCodes.Status400BadRequest, "it says neither what to change nor to save", "send a change, or save: true");
            return;
        }

        EditResult result = await edit(request);
        int code = result.Reload.Applied ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity;
        await AdminApi.AnswerAsync(context, code, result, ApiJson.Readable.EditResult);
    }
}
