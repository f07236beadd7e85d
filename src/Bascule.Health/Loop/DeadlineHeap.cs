namespace Bascule.Health.Loop;

/// <summary>Something that is to happen at a time. It lies in at most one <see cref="DeadlineHeap"/>.</summary>
internal abstract class Timed
{
    /// <summary>Its number in the heap; -1: not in one.</summary>
    internal int Number { get; set; } = -1;
}

/// <summary>
/// Deadlines, the earliest first: a binary heap of numbers that know their place, so that one can be moved without looking for it and without
/// allocating. All that is compared and moved lies in three small arrays: of 10,000 deadlines, 160 KB that stay in the processor's cache, where a heap
/// of objects would fetch a dozen of them from memory for each step.
/// </summary>
internal sealed class DeadlineHeap
{
    private int[] _heap = new int[64];

    // By number.
    private Timed?[] _entries = new Timed?[64];
    private long[] _deadlines = new long[64];
    private int[] _places = new int[64];
    private readonly Stack<int> _freeNumbers = new();

    public int Count { get; private set; }

    /// <summary>The one whose time comes first; null when there is none.</summary>
    public Timed? First => Count == 0 ? null : _entries[_heap[0]];

    /// <summary>The time of <see cref="First"/>; null when there is none.</summary>
    public TimeSpan? FirstDeadline => Count == 0 ? null : new(_deadlines[_heap[0]]);

    /// <summary>Gives an entry this deadline, whether it had one or not.</summary>
    public void Set(Timed entry, TimeSpan deadline)
    {
        if (entry.Number < 0)
            Append(entry);
        int number = entry.Number;
        _deadlines[number] = deadline.Ticks;
        if (!Rise(number))
            Sink(number);
    }

    /// <summary>When it is to happen; only for an entry that has a deadline.</summary>
    public TimeSpan DeadlineOf(Timed entry) => new(_deadlines[entry.Number]);

    /// <summary>Takes an entry out. Nothing, when it is not in.</summary>
    public void Remove(Timed entry)
    {
        int number = entry.Number;
        if (number < 0)
            return;
        entry.Number = -1;
        _entries[number] = null;
        _freeNumbers.Push(number);
        int last = _heap[--Count];
        if (last == number)
            return;
        Put(last, _places[number]);
        if (!Rise(last))
            Sink(last);
    }

    private void Append(Timed entry)
    {
        if (Count == _heap.Length)
            Grow();
        // Numbers are given out from 0 on, and again when they have become free: there are never more than entries.
        entry.Number = _freeNumbers.TryPop(out int free) ? free : Count;
        _entries[entry.Number] = entry;
        Put(entry.Number, Count++);
    }

    private void Grow()
    {
        Array.Resize(ref _heap, Count * 2);
        Array.Resize(ref _entries, Count * 2);
        Array.Resize(ref _deadlines, Count * 2);
        Array.Resize(ref _places, Count * 2);
    }

    /// <returns>Whether it moved.</returns>
    private bool Rise(int number)
    {
        int place = _places[number];
        long deadline = _deadlines[number];
        int start = place;
        while (place > 0 && deadline < _deadlines[_heap[(place - 1) / 2]])
        {
            int parent = (place - 1) / 2;
            Put(_heap[parent], place);
            place = parent;
        }

        Put(number, place);
        return place != start;
    }

    private void Sink(int number)
    {
        int place = _places[number];
        long deadline = _deadlines[number];
        while (true)
        {
            int child = (2 * place) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && _deadlines[_heap[child + 1]] < _deadlines[_heap[child]])
                child++;
            if (deadline <= _deadlines[_heap[child]])
                break;
            Put(_heap[child], place);
            place = child;
        }

        Put(number, place);
    }

    private void Put(int number, int place)
    {
        _heap[place] = number;
        _places[number] = place;
    }
}
