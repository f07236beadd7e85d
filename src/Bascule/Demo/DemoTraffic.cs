using System.Collections.Concurrent;
using System.Net;

namespace Bascule.Demo;

/// <summary>A gentle steady stream of requests to one virtual server, and who answered them.</summary>
/// <param name="address">Of the virtual server.</param>
/// <param name="connectionEach">Whether each request has a connection of its own, so that a TCP virtual server schedules each.</param>
/// <param name="perSecond">Requests per second.</param>
internal sealed class DemoTraffic(IPEndPoint address, bool connectionEach, int perSecond, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, int> _served = new();
    private readonly ConcurrentDictionary<string, int> _failed = new();

    /// <summary>Of the virtual server.</summary>
    public IPEndPoint Address => address;

    /// <summary>Requests per second.</summary>
    public int PerSecond => perSecond;

    /// <summary>Answers by the name of who gave them.</summary>
    public IReadOnlyDictionary<string, int> Served => _served;

    /// <summary>Failures by their reason, as a client sees it.</summary>
    public IReadOnlyDictionary<string, int> Failed => _failed;

    /// <summary>Sends until cancelled; the last request may finish.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
        client.DefaultRequestHeaders.ConnectionClose = connectionEach;
        await Beat.RepeatAsync(TimeSpan.FromSeconds(1) / perSecond, time, () => AskAsync(client), stopping);
    }

    private async Task AskAsync(HttpClient client)
    {
        try
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{address}/"));
            string body = await response.Content.ReadAsStringAsync();
            if (response.IsSuccessStatusCode)
                Count(_served, body.Split('\n')[0]);
            else
                Count(_failed, $"{(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd());
        }
        catch (HttpRequestException)
        {
            Count(_failed, "connection closed");
        }
        catch (TaskCanceledException)
        {
            Count(_failed, $"no answer within {client.Timeout.TotalSeconds} s");
        }
    }

    private static void Count(ConcurrentDictionary<string, int> what, string key) => what.AddOrUpdate(key, 1, (_, n) => n + 1);
}
