namespace Bascule.Health.Loop;

/// <summary>Something that is to happen at a time. It lies in at most one <see cref="DeadlineHeap"/>.</summary>
internal abstract class Timed
{
    /// <summary>By the loop's clock.</summary>
    internal TimeSpan Deadline { get; set; }

    /// <summary>Where it lies in the heap; -1: not in one.</summary>
    internal int Place { get; set; } = -1;
}

/// <summary>
/// Deadlines, the earliest first: a binary heap of entries that know their place, so that one can be moved without looking for it and without
/// allocating.
/// </summary>
/// <remarks>
/// A timer wheel moves one in fewer steps, but sees times only as coarse as its slots; among 10,000 checks a step costs about a hundredth
/// of what the check does in the kernel.
/// </remarks>
internal sealed class DeadlineHeap
{
    private Timed[] _entries = new Timed[64];

    public int Count { get; private set; }

    /// <summary>The one whose time comes first; null when there is none.</summary>
    public Timed? First => Count == 0 ? null : _entries[0];

    /// <summary>Gives an entry this deadline, whether it had one or not.</summary>
    public void Set(Timed entry, TimeSpan deadline)
    {
        entry.Deadline = deadline;
        if (entry.Place < 0)
            Append(entry);
        else if (!Rise(entry))
            Sink(entry);
    }

    /// <summary>Takes an entry out. Nothing, when it is not in.</summary>
    public void Remove(Timed entry)
    {
        if (entry.Place < 0)
            return;
        Timed last = _entries[--Count];
        _entries[Count] = null!;
        int hole = entry.Place;
        entry.Place = -1;
        if (last == entry)
            return;
        Put(last, hole);
        if (!Rise(last))
            Sink(last);
    }

    private void Append(Timed entry)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        Put(entry, Count++);
        Rise(entry);
    }

    /// <returns>Whether it moved.</returns>
    private bool Rise(Timed entry)
    {
        int place = entry.Place;
        while (place > 0 && entry.Deadline < _entries[(place - 1) / 2].Deadline)
        {
            int parent = (place - 1) / 2;
            Put(_entries[parent], place);
            place = parent;
        }

        bool moved = place != entry.Place;
        Put(entry, place);
        return moved;
    }

    private void Sink(Timed entry)
    {
        int place = entry.Place;
        while (true)
        {
            int child = (2 * place) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && _entries[child + 1].Deadline < _entries[child].Deadline)
                child++;
            if (entry.Deadline <= _entries[child].Deadline)
                break;
            Put(_entries[child], place);
            place = child;
        }

        Put(entry, place);
    }

    private void Put(Timed entry, int place)
    {
        _entries[place] = entry;
        entry.Place = place;
    }
}
