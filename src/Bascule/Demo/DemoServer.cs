using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Bascule.Demo;

/// <summary>
/// One of the demo's real servers, in its own process. Says its port on stdout, and lives as long as its stdin is open: the
/// kernel closes that when the demo ends, however it ends, so no server outlives it.
/// </summary>
internal static class DemoServer
{
    public const string Verb = "demo-server";

    public static async Task<int> RunAsync(string name, int port)
    {
        // Ctrl-C reaches every process of the terminal. The demo decides when this one ends: after the director has drained.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        return await ServeAsync(name, options => options.Listen(IPAddress.Loopback, port), async address =>
        {
            await Console.Out.WriteLineAsync($"{address.Port}");
            await UntilClosedAsync(Console.OpenStandardInput());
        });
    }

    /// <summary>Answers with its name until told to stop; also the lab's real servers.</summary>
    /// <param name="untilStopped">Runs while it serves; is told its first address.</param>
    public static async Task<int> ServeAsync(string name, Action<KestrelServerOptions> listen, Func<Uri, Task> untilStopped)
    {
        KestrelServerOptions options = new() { AddServerHeader = false };
        listen(options);
        SocketTransportFactory transport = new(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        using KestrelServer server = new(Options.Create(options), transport, NullLoggerFactory.Instance);
        try
        {
            await server.StartAsync(new Pages(name), CancellationToken.None);
        }
        catch (IOException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCode.Failed;
        }

        await untilStopped(new Uri(server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()));
        return ExitCode.Ok;
    }

    private static async Task UntilClosedAsync(Stream input)
    {
        byte[] ignored = new byte[16];
        while (await input.ReadAsync(ignored) > 0)
        {
        }
    }

    /// <summary><c>/healthz</c> for the check; anything else says who answered, and what reached it.</summary>
    private sealed class Pages(string name) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public Task ProcessRequestAsync(HttpContext context)
        {
            HttpRequest request = context.Request;
            byte[] body = Encoding.UTF8.GetBytes(request.Path == "/healthz" ? "well\n" : WhoAnswers(request));
            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.ContentLength = body.Length;
            return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
        }

        private string WhoAnswers(HttpRequest request)
        {
            // Set by the HTTP virtual server; the TCP one relays bytes and adds nothing.
            string client = request.Headers["X-Forwarded-For"].ToString();
            string forWhom = client.Length > 0 ? $" for {client}" : "";
            return $"{name}\nprocess {Environment.ProcessId} was asked for {request.Method} {request.Path}{request.QueryString}{forWhom}\n";
        }
    }
}
