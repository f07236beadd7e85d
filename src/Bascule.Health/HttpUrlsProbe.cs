using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Are several requests answered as expected, one after the other?</summary>
/// <param name="header">See <see cref="StreamProbe.Header"/>.</param>
internal sealed class HttpUrlsProbe(HttpUrlsCheck check, IPEndPoint target, byte[] header, TimeProvider time) : Probe
{
    private readonly HttpProbe[] _probes = [.. check.Urls.Select(url => new HttpProbe(url, target, time) { Header = header })];

    /// <inheritdoc/>
    public override async Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        Verdict last = default;
        for (int i = 0; i < _probes.Length; i++)
        {
            try
            {
                last = await _probes[i].AskAsync(mark, cancellation);
            }
            catch (OperationCanceledException)
            {
                throw new LateException(check.Urls[i].Path, cancellation);
            }

            if (!last.Passed)
                return last with { Why = $"{check.Urls[i].Path}: {last.Why}" };
        }

        return last with { Why = $"{_probes.Length} {(_probes.Length == 1 ? "url" : "urls")} passed" };
    }
}
