using Bascule.Health.Loop;

namespace Bascule.Health.Tests.Loop;

public sealed class DeadlineHeapTests
{
    private readonly DeadlineHeap _heap = new();

    [Fact]
    public void The_earliest_is_first_whatever_is_set_moved_and_removed()
    {
        Random chance = new(3);
        Entry[] entries = [.. Enumerable.Range(0, 300).Select(_ => new Entry())];
        HashSet<Entry> inside = [];
        for (int step = 0; step < 20_000; step++)
        {
            Entry entry = entries[chance.Next(entries.Length)];
            if (chance.Next(3) == 0)
            {
                _heap.Remove(entry);
                inside.Remove(entry);
            }
            else
            {
                entry.Deadline = TimeSpan.FromTicks(chance.Next(100));
                _heap.Set(entry, entry.Deadline);
                inside.Add(entry);
            }

            Assert.Equal(inside.Count, _heap.Count);
            Assert.Equal(inside.Count == 0 ? null : (TimeSpan?)inside.Min(e => e.Deadline), _heap.FirstDeadline);
            Assert.Equal(_heap.FirstDeadline, ((Entry?)_heap.First)?.Deadline);
        }
    }

    [Fact]
    public void Empties_in_the_order_of_time()
    {
        foreach (int tick in new[] { 5, 1, 4, 1, 3 })
            _heap.Set(new Entry(), TimeSpan.FromTicks(tick));
        List<long> order = [];
        while (_heap.First is { } first)
        {
            order.Add(_heap.DeadlineOf(first).Ticks);
            _heap.Remove(first);
        }

        Assert.Equal([1, 1, 3, 4, 5], order);
    }

    private sealed class Entry : Timed
    {
        public TimeSpan Deadline { get; set; }
    }
}
