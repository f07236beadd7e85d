namespace Bascule.Packets.Plan;

/// <summary>
/// Which virtual server is the same one as before: who has its name; and where nobody had (an earlier daemon's have none in the kernel, and one may be renamed),
/// who had one of the keys it is found under. Owners are numbers of this process alone, and never used again.
/// </summary>
internal sealed class OwnerBook
{
    private readonly Dictionary<string, int> _named = [];
    private readonly Dictionary<ServiceKey, int> _owners = [];
    private int _last;

    /// <summary>The owner of the key; null: nobody is.</summary>
    public int? Find(ServiceKey service) => _owners.TryGetValue(service, out int owner) ? owner : null;

    /// <summary>Somebody without a name has these keys.</summary>
    public int Adopt(IEnumerable<ServiceKey> services)
    {
        _last++;
        foreach (ServiceKey service in services)
            _owners[service] = _last;
        return _last;
    }

    /// <summary>Who each virtual server is. From now on they have these names and keys, and no others.</summary>
    /// <param name="virtualServers">All there are; the keys of each by its name.</param>
    public Dictionary<string, int> Of(Dictionary<string, ServiceKey[]> virtualServers)
    {
        Dictionary<string, int> owners = _named.Where(pair => virtualServers.ContainsKey(pair.Key)).ToDictionary();
        HashSet<int> taken = [.. owners.Values];
        foreach ((string name, ServiceKey[] keys) in virtualServers.Where(pair => !owners.ContainsKey(pair.Key)).ToList())
        {
            owners[name] = keys.Select(Find).FirstOrDefault(known => known is { } same && !taken.Contains(same)) ?? ++_last;
            taken.Add(owners[name]);
        }

        Forget(taken.Contains);
        foreach ((string name, int owner) in owners)
        {
            _named[name] = owner;
            foreach (ServiceKey key in virtualServers[name])
                _owners[key] = owner;
        }

        return owners;
    }

    /// <summary>Forgets those that nothing names any more.</summary>
    public void Keep(Func<int, bool> isNamed) => Forget(owner => !isNamed(owner));

    private void Forget(Func<int, bool> whom)
    {
        foreach (string name in _named.Where(pair => whom(pair.Value)).Select(pair => pair.Key).ToList())
            _named.Remove(name);
        foreach (ServiceKey key in _owners.Where(pair => whom(pair.Value)).Select(pair => pair.Key).ToList())
            _owners.Remove(key);
    }
}
