using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class AddressTableTests
{
    private const long Lifetime = 1000;

    private readonly AddressTable<long> _table = new(8); // one bucket

    [Fact]
    public void Finds_what_was_put_in_and_nothing_else()
    {
        Put(Key(1), 10, now: 0);

        Assert.Equal(10, Find(Key(1), now: 1));
        Assert.Null(Find(Key(2), now: 1));
        Assert.Null(Find(Key(1) with { IsIpv4 = false }, now: 1));
    }

    [Fact]
    public void An_entry_ends_when_it_was_not_used_for_its_lifetime()
    {
        Put(Key(1), 10, now: 0);
        Put(Key(2), 20, now: 0);
        _table.Touch(_table.Find(Key(2), 1, Lifetime, out _).Entry, 1);

        Assert.Null(Find(Key(1), now: 1000));
        Assert.Equal(20, Find(Key(2), now: 1000));
        Assert.Null(Find(Key(2), now: 1001));
    }

    [Fact]
    public void An_entry_that_is_held_does_not_grow_old_and_lives_its_time_from_the_release()
    {
        Put(Key(1), 10, now: 0);
        int entry = _table.Find(Key(1), 0, Lifetime, out _).Entry;
        _table.Hold(entry);
        Assert.Equal(10, Find(Key(1), now: 5000));

        _table.Release(entry, 6000);

        Assert.Equal(10, Find(Key(1), now: 6999));
        Assert.Null(Find(Key(1), now: 7000));
    }

    [Fact]
    public void A_full_bucket_gives_up_the_one_that_was_unused_for_the_longest_of_those_not_held()
    {
        for (int i = 0; i < 8; i++)
            Put(Key(i), i, now: i);
        _table.Hold(_table.Find(Key(0), 8, Lifetime, out _).Entry);

        Put(Key(100), 100, now: 9);

        Assert.Null(Find(Key(1), now: 9));
        Assert.All([0, 2, 3, 4, 5, 6, 7, 100], i => Assert.Equal(i, Find(Key(i), now: 9)));
    }

    [Fact]
    public void Where_all_are_held_the_longest_unused_goes_and_its_holder_may_still_give_it_back()
    {
        int[] entries = new int[8];
        for (int i = 0; i < 8; i++)
        {
            Put(Key(i), i, now: i);
            entries[i] = _table.Find(Key(i), i, Lifetime, out _).Entry;
            _table.Hold(entries[i]);
        }

        Put(Key(100), 100, now: 9);
        _table.Release(entries[0], 10);

        Assert.Null(Find(Key(0), now: 10));
        Assert.Equal(100, Find(Key(100), now: 10));
        Assert.Null(Find(Key(100), now: 1010)); // held by nobody now
    }

    [Fact]
    public void Who_looked_before_another_wrote_does_not_overwrite()
    {
        AddressPlace before = _table.Find(Key(1), 0, Lifetime, out _);
        Put(Key(1), 10, now: 0);

        Assert.False(_table.TryPut(before, Key(1), 20, 0));
        Assert.Equal(10, Find(Key(1), now: 0));
    }

    [Fact]
    public void Many_threads_agree_on_one_value_for_each_address_and_never_see_half_of_one()
    {
        AddressTable<(long Key, long Writer)> table = new(1024);
        (long, long)[,] agreed = new (long, long)[4, 100];
        Thread[] workers = [.. Enumerable.Range(0, 4).Select(worker => new Thread(() =>
        {
            for (int i = 0; i < 200_000; i++)
            {
                int address = (i * 7) % 100;
                AddressPlace place = table.Find(Key(address), 0, Lifetime, out (long Key, long Writer) value);
                if (!place.IsFound && !table.TryPut(place, Key(address), (address, worker), 0))
                    continue;
                if (table.Find(Key(address), 0, Lifetime, out value).IsFound)
                    agreed[worker, address] = value;
            }
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();

        Assert.All(Enumerable.Range(0, 100), address =>
            Assert.Equal(address, Assert.Single(Enumerable.Range(0, 4).Select(worker => agreed[worker, address]).Distinct()).Item1));
    }

    private static AddressKey Key(int i) => new(0, (ulong)i, IsIpv4: true);

    private void Put(AddressKey key, long value, long now) => Assert.True(_table.TryPut(_table.Find(key, now, Lifetime, out _), key, value, now));

    private long? Find(AddressKey key, long now) => _table.Find(key, now, Lifetime, out long value).IsFound ? value : null;
}
