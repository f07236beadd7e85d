using System.Runtime.CompilerServices;

namespace Bascule.Core.Scheduling;

/// <summary>The real servers that already failed one connection or request. Holds four: more attempts would only make the client wait.</summary>
public struct TriedServers
{
    /// <summary>How many it holds; a forwarder gives up when it is full.</summary>
    public const int Capacity = 4;

    private Slots _slots;

    /// <summary>How many have been tried.</summary>
    public int Count { get; private set; }

    /// <summary>Whether this one has been tried.</summary>
    public readonly bool Contains(int index)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_slots[i] == index)
                return true;
        }

        return false;
    }

    /// <summary>Those from an index on, as indexes into a list that begins there.</summary>
    public readonly TriedServers From(int first)
    {
        TriedServers rest = default;
        for (int i = 0; i < Count; i++)
        {
            if (_slots[i] >= first)
                rest.Add(_slots[i] - first);
        }

        return rest;
    }

    /// <summary>Remembers a failure. Only while <see cref="Count"/> is below <see cref="Capacity"/>.</summary>
    public void Add(int index) => _slots[Count++] = index;

    [InlineArray(Capacity)]
    private struct Slots
    {
        private int _first;
    }
}
