using System.Buffers.Binary;
using Bascule.Core.Replication;

namespace Bascule.Replication.Tests;

/// <summary>Numbers by number; the higher value is the fresher one. All methods under one lock, so that a test may look from outside.</summary>
internal sealed class FakeState(string name) : IReplicatedState
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, int> _values = [];
    private readonly Queue<(int Key, int Value)> _changes = new();

    public string Name => name;

    /// <summary>Changes that are kept until they are taken.</summary>
    public int MostChanges { get; init; } = int.MaxValue;

    /// <summary>Called before each entry of <see cref="Everything"/>.</summary>
    public Action WhileBulk { get; set; } = () => { };

    public int Padding { get; init; }

    public bool HasOverflown { get; private set; }

    public (int Key, int Value)[] Values
    {
        get
        {
            lock (_lock)
                return [.. _values.Select(v => (v.Key, v.Value))];
        }
    }

    public void Set(int key, int value)
    {
        lock (_lock)
        {
            _values[key] = value;
            if (_changes.Count < MostChanges)
                _changes.Enqueue((key, value));
            else
                HasOverflown = true;
        }
    }

    public IEnumerable<ReadOnlyMemory<byte>> Everything()
    {
        foreach ((int key, _) in Values)
        {
            WhileBulk();
            int value;
            lock (_lock)
                value = _values[key];
            yield return Entry((key, value));
        }
    }

    public bool TakeChanges(Action<ReadOnlyMemory<byte>> take)
    {
        (int, int)[] changes;
        bool isWhole;
        lock (_lock)
        {
            changes = [.. _changes];
            _changes.Clear();
            isWhole = !HasOverflown;
            HasOverflown = false;
        }

        foreach ((int, int) change in changes)
            take(Entry(change));
        return isWhole;
    }

    public bool Apply(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < 8)
            return false;
        (int key, int value) = (BinaryPrimitives.ReadInt32BigEndian(entry), BinaryPrimitives.ReadInt32BigEndian(entry[4..]));
        lock (_lock)
        {
            if (!_values.TryGetValue(key, out int known) || value > known)
                _values[key] = value;
        }

        return true;
    }

    private byte[] Entry((int Key, int Value) entry)
    {
        byte[] bytes = new byte[8 + Padding];
        BinaryPrimitives.WriteInt32BigEndian(bytes, entry.Key);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), entry.Value);
        return bytes;
    }
}
