namespace Bascule.Vrrp.Engine;

/// <summary>The last changes of an instance's role. One thread adds; any may read.</summary>
internal sealed class RoleHistory(RoleChange first)
{
    private const int Kept = 10;

    private readonly RoleChange?[] _ring = new RoleChange?[Kept];
    private RoleChange _latest = first;
    private int _changes;

    /// <summary>The last one; before the first, one of reason None.</summary>
    public RoleChange Latest => Volatile.Read(ref _latest);

    public void Add(RoleChange change)
    {
        Volatile.Write(ref _ring[_changes % Kept], change);
        Volatile.Write(ref _changes, _changes + 1);
        Volatile.Write(ref _latest, change);
    }

    /// <summary>The latest first, up to ten.</summary>
    public IEnumerable<RoleChange> Read()
    {
        int changes = Volatile.Read(ref _changes);
        for (int i = 1; i <= int.Min(changes, Kept); i++)
            yield return Volatile.Read(ref _ring[(changes - i) % Kept])!;
    }
}
