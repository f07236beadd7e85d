using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bascule.Core.Api;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bascule.Admin;

/// <summary>Turns requests into answers. Every answer is JSON, the refusals too.</summary>
internal sealed class AdminApi(DirectorAnswers director) : IHttpApplication<HttpContext>
{
    private const string WhatThereIs =
        "GET /v1/status, GET /v1/version, POST /v1/reload, GET /v1/connections, GET /v1/sessions, GET /v1/explain, GET /v1/capture, POST /v1/detach, GET /v1/ha, POST /v1/handover, "
        + "GET /v1/config, GET /v1/config/diff, POST /v1/config/take, POST /v1/config/rollback, GET /v1/state, POST /v1/state, POST /v1/edit";

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public Task ProcessRequestAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/v1/status" => OnlyAsync(HttpMethods.Get, context, StatusAsync),
        "/v1/version" => OnlyAsync(HttpMethods.Get, context, VersionAsync),
        "/v1/reload" => OnlyAsync(HttpMethods.Post, context, ReloadAsync),
        "/v1/state" when HttpMethods.IsGet(context.Request.Method) => StateApi.ProgressAsync(director.States, context),
        "/v1/state" => OnlyAsync(HttpMethods.Post, context, c => StateApi.SayAsync(director.States, c)),
        "/v1/edit" => OnlyAsync(HttpMethods.Post, context, OfOwner(c => EditApi.EditAsync(director.Edit, c))),
        "/v1/connections" => OnlyAsync(HttpMethods.Get, context, OfDatapath(PacketApi.ConnectionsAsync)),
        "/v1/sessions" => OnlyAsync(HttpMethods.Get, context, SessionsAsync),
        "/v1/explain" => OnlyAsync(HttpMethods.Get, context, OfDatapath(PacketApi.ExplainAsync)),
        "/v1/capture" => OnlyAsync(HttpMethods.Get, context, OfDatapath(PacketApi.CaptureAsync)),
        "/v1/detach" => OnlyAsync(HttpMethods.Post, context, OfDatapath(PacketApi.DetachAsync)),
        "/v1/ha" => OnlyAsync(HttpMethods.Get, context, OfFailover(HaApi.StatusAsync)),
        "/v1/handover" => OnlyAsync(HttpMethods.Post, context, OfFailover(HaApi.HandOverAsync)),
        "/v1/config" => OnlyAsync(HttpMethods.Get, context, OfConfiguration(ConfigurationApi.ReportAsync)),
        "/v1/config/diff" => OnlyAsync(HttpMethods.Get, context, OfOwner(OfConfiguration(ConfigurationApi.DifferenceAsync))),
        "/v1/config/take" => OnlyAsync(HttpMethods.Post, context, OfOwner(OfConfiguration(ConfigurationApi.TakeAsync))),
        "/v1/config/rollback" => OnlyAsync(HttpMethods.Post, context, OfOwner(OfConfiguration(ConfigurationApi.RollBackAsync))),
        _ => AnswerAsync(context, StatusCodes.Status404NotFound,
            new ApiError($"there is no {context.Request.Path}", $"ask for one of {WhatThereIs}"), ApiJson.Readable.ApiError),
    };

    /// <summary>The body of a request; null when it is not as it should be, and that has been answered.</summary>
    internal static async Task<T?> BodyAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } body)
                return body;
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "the body is empty", "send a JSON object");
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"the body cannot be read: {e.Message}", "send a JSON object as the guide shows it");
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, $"the body cannot be read: {e.Message}", $"send {AdminServer.LargestBody} bytes at most");
        }

        return null;
    }

    internal static Task RefuseAsync(HttpContext context, int code, string what, string hint) =>
        AnswerAsync(context, code, new ApiError(what, hint), ApiJson.Readable.ApiError);

    private static Task OnlyAsync(string method, HttpContext context, Func<HttpContext, Task> answerAsync)
    {
        if (HttpMethods.Equals(context.Request.Method, method))
            return answerAsync(context);
        context.Response.Headers.Allow = method;
        return AnswerAsync(context, StatusCodes.Status405MethodNotAllowed,
            new ApiError($"{context.Request.Path} does not know {context.Request.Method}", $"use {method}"), ApiJson.Readable.ApiError);
    }

    private Task StatusAsync(HttpContext context) =>
        AnswerAsync(context, StatusCodes.Status200OK, director.Status(), ApiJson.Readable.DirectorStatus);

    private Task VersionAsync(HttpContext context) =>
        AnswerAsync(context, StatusCodes.Status200OK, director.Version, ApiJson.Readable.VersionInfo);

    private Task SessionsAsync(HttpContext context) =>
        AnswerAsync(context, StatusCodes.Status200OK, [.. director.Sessions(), .. director.Packets()?.Sessions() ?? []], ApiJson.Readable.ImmutableArraySessionCount);

    private async Task ReloadAsync(HttpContext context) => await AnswerAsync(context, await director.Reload());

    internal static async Task AnswerAsync(HttpContext context, ReloadResult result)
    {
        int status = result.Applied ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity;
        await AnswerAsync(context, status, result, ApiJson.Readable.ReloadResult);
    }

    // A check or a notification may be a program, which runs as the daemon does: whoever may set one, or bring an old one back, can do all that the daemon can.
    // And whoever reads its lines reads the passwords in them.
    private static Func<HttpContext, Task> OfOwner(Func<HttpContext, Task> answerAsync) => context =>
        AdminPeer.IsOwner(context)
            ? answerAsync(context)
            : RefuseAsync(context, StatusCodes.Status403Forbidden, "only root, and the user that the daemon runs as, may change the configuration, or read its lines",
                "use sudo; status, drain, maintenance and enable are free to the socket's group");

    private Func<HttpContext, Task> OfDatapath(Func<PacketAnswers, HttpContext, Task> answerAsync) => context =>
        director.Packets() is { } packets
            ? answerAsync(packets, context)
            : AnswerAsync(context, StatusCodes.Status404NotFound,
                new ApiError("this director has no packet datapath", "add `packets` to its configuration and start it again"), ApiJson.Readable.ApiError);

    private Func<HttpContext, Task> OfFailover(Func<HaAnswers, HttpContext, Task> answerAsync) => context =>
        director.Ha() is { } ha
            ? answerAsync(ha, context)
            : AnswerAsync(context, StatusCodes.Status404NotFound,
                new ApiError("this director is alone", "add `ha` to its configuration and start it again"), ApiJson.Readable.ApiError);

    private Func<HttpContext, Task> OfConfiguration(Func<ConfigurationAnswers, HttpContext, Task> answerAsync) => context =>
        director.Configuration() is { } configuration
            ? answerAsync(configuration, context)
            : AnswerAsync(context, StatusCodes.Status404NotFound,
                new ApiError("this director shares its configuration with nobody", "add `shareConfiguration: true` to `ha` on both directors and start them again"), ApiJson.Readable.ApiError);

    internal static Task AnswerAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type)
    {
        byte[] body = [.. JsonSerializer.SerializeToUtf8Bytes(value, type), (byte)'\n'];
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
