namespace Bascule.Packets.Plan;

/// <summary>
/// Which virtual server is the same one as before. In the kernel it has no name, only the keys it is found under; so it is the same as long as it keeps
/// one of them. Owners are numbers of this process alone, and never used again.
/// </summary>
internal sealed class OwnerBook
{
    private readonly Dictionary<ServiceKey, int> _owners = [];
    private int _last;

    /// <summary>The owner of the key; null: nobody was.</summary>
    public int? Find(ServiceKey service) => _owners.TryGetValue(service, out int owner) ? owner : null;

    /// <summary>Whose these keys are: who had the first of them that somebody had and nobody has <paramref name="taken"/> yet, or somebody new. All are his from now on.</summary>
    public int Of(IEnumerable<ServiceKey> services, Func<int, bool> taken)
    {
        ServiceKey[] keys = [.. services];
        int owner = keys.Select(Find).FirstOrDefault(known => known is { } same && !taken(same)) ?? ++_last;
        foreach (ServiceKey key in keys)
            _owners[key] = owner;
        return owner;
    }

    /// <summary>Forgets those that nothing names any more.</summary>
    public void Keep(Func<int, bool> isNamed)
    {
        foreach (ServiceKey key in _owners.Where(pair => !isNamed(pair.Value)).Select(pair => pair.Key).ToList())
            _owners.Remove(key);
    }
}
