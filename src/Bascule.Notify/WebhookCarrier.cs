using System.Globalization;
using System.Net.Http.Json;
using Bascule.Core.Model;

namespace Bascule.Notify;

/// <summary>POSTs a JSON object. Anything from 200 to 299 means that it has been told; redirects are not followed.</summary>
internal sealed class WebhookCarrier(WebhookWay way) : Carrier, IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool MayRepeat => true;

    public override async Task<string?> DeliverAsync(Letter letter, CancellationToken cancellation)
    {
        Body body = new(letter.Number, letter.Node, letter.Type, letter.About.Name, letter.About.State, letter.About.Why, letter.About.At);
        using HttpRequestMessage request = new(HttpMethod.Post, way.Address) { Content = JsonContent.Create(body) };
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return response.IsSuccessStatusCode ? null : string.Create(CultureInfo.InvariantCulture, $"{way.Address.Host} answered {(int)response.StatusCode}");
    }

    public override void Close() => Dispose();

    public void Dispose() => _client.Dispose();

    /// <summary>What is sent.</summary>
    private sealed record Body(long Number, string Node, string Type, string Name, string State, string Why, DateTimeOffset At);
}
