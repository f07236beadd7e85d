namespace Bascule.Core.Api;

/// <summary>The rates of every virtual and real server. One thread takes samples; the others read what came of the last.</summary>
public sealed class TrafficRates
{
    private readonly Dictionary<(string VirtualServer, string? RealServer), TrafficEstimator> _estimators = [];
    private Dictionary<(string VirtualServer, string? RealServer), TrafficRate> _rates = []; // replaced whole, never changed: whoever reads needs no lock

    /// <summary>The rate of a virtual server, or of one of its real servers by address; null before it was estimated.</summary>
    public TrafficRate? Of(string virtualServer, string? realServer) => Volatile.Read(ref _rates).GetValueOrDefault((virtualServer, realServer));

    /// <summary>Takes a sample of everything; forgets what is no longer there.</summary>
    /// <param name="elapsed">Since the sample before.</param>
    public void Sample(IEnumerable<VirtualServerStatus> virtualServers, TimeSpan elapsed)
    {
        Dictionary<(string, string?), TrafficRate> rates = [];
        foreach (VirtualServerStatus virtualServer in virtualServers)
        {
            Sample((virtualServer.Name, null), virtualServer.Traffic, elapsed, rates);
            foreach (RealServerStatus realServer in virtualServer.RealServers)
                Sample((virtualServer.Name, realServer.Address), realServer.Traffic, elapsed, rates);
        }

        foreach ((string, string?) gone in _estimators.Keys.Where(k => !rates.ContainsKey(k)).ToArray())
            _estimators.Remove(gone);
        Volatile.Write(ref _rates, rates);
    }

    private void Sample((string VirtualServer, string? RealServer) whose, TrafficCount? count, TimeSpan elapsed, Dictionary<(string, string?), TrafficRate> rates)
    {
        if (count is null)
            return;
        if (!_estimators.TryGetValue(whose, out TrafficEstimator? estimator))
            _estimators[whose] = estimator = new();
        estimator.Sample(count, elapsed);
        rates[whose] = estimator.Rate;
    }
}
