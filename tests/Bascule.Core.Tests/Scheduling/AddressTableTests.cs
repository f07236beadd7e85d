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
        _table.Find(Key(2), 1, Lifetime)!.Touch(1);

        Assert.Null(Find(Key(1), now: 1000));
        Assert.Equal(20, Find(Key(2), now: 1000));
        Assert.Null(Find(Key(2), now: 1001));
    }

    [Fact]
    public void An_address_that_comes_back_after_its_lifetime_takes_its_own_place()
    {
        Put(Key(1), 10, now: 0);
        for (int i = 2; i < 9; i++)
            Put(Key(i), i, now: 5000);

        Put(Key(1), 11, now: 5000);

        Assert.Equal(11, Find(Key(1), now: 5000));
        Assert.All(Enumerable.Range(2, 7), i => Assert.Equal(i, Find(Key(i), now: 5000)));
    }

    [Fact]
    public void An_entry_that_is_held_does_not_grow_old_and_lives_its_time_from_the_release()
    {
        AddressEntry<long> entry = Put(Key(1), 10, now: 0);
        entry.Hold();
        Assert.Equal(10, Find(Key(1), now: 5000));

        entry.Release(6000);

        Assert.Equal(10, Find(Key(1), now: 6999));
        Assert.Null(Find(Key(1), now: 7000));
    }

    [Fact]
    public void A_full_bucket_gives_up_the_one_that_was_unused_for_the_longest_of_those_not_held()
    {
        for (int i = 0; i < 8; i++)
            Put(Key(i), i, now: i);
        _table.Find(Key(0), 8, Lifetime)!.Hold();

        Put(Key(100), 100, now: 9);

        Assert.Null(Find(Key(1), now: 9));
        Assert.All([0, 2, 3, 4, 5, 6, 7, 100], i => Assert.Equal(i, Find(Key(i), now: 9)));
    }

    [Fact]
    public void Where_all_are_held_the_longest_unused_goes()
    {
        for (int i = 0; i < 8; i++)
            Put(Key(i), i, now: i).Hold();

        Put(Key(100), 100, now: 9);

        Assert.Null(Find(Key(0), now: 10));
        Assert.Equal(100, Find(Key(100), now: 10));
    }

    [Fact]
    public void Who_looked_before_another_wrote_does_not_overwrite()
    {
        AddressEntry<long>? before = _table.Find(Key(1), 0, Lifetime);
        AddressEntry<long> other = Put(Key(1), 10, now: 0);

        Assert.Null(_table.TryPut(Key(1), 20, before, 0, Lifetime));
        Assert.NotNull(_table.TryPut(Key(1), 30, other, 0, Lifetime));
        Assert.Equal(30, Find(Key(1), now: 0));
    }

    [Fact]
    public void Many_threads_agree_on_one_value_for_each_address()
    {
        AddressTable<long> table = new(65_536);
        long[,] agreed = new long[4, 500];
        using Barrier start = new(4);
        Thread[] workers = [.. Enumerable.Range(0, 4).Select(worker => new Thread(() =>
        {
            start.SignalAndWait();
            for (int address = 0; address < 500; address++)
            {
                AddressEntry<long>? entry = null;
                while (entry is null)
                    entry = table.Find(Key(address), 0, Lifetime) ?? table.TryPut(Key(address), (1000 * worker) + address, null, 0, Lifetime);
                agreed[worker, address] = entry.Value;
            }
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();

        Assert.All(Enumerable.Range(0, 500), address =>
            Assert.Equal(address, Assert.Single(Enumerable.Range(0, 4).Select(worker => agreed[worker, address]).Distinct()) % 1000));
    }

    private static AddressKey Key(int i) => new(0, (ulong)i, IsIpv4: true);

    private AddressEntry<long> Put(AddressKey key, long value, long now)
    {
        AddressEntry<long>? entry = _table.TryPut(key, value, _table.Find(key, now, Lifetime), now, Lifetime);
        Assert.NotNull(entry);
        return entry;
    }

    private long? Find(AddressKey key, long now) => _table.Find(key, now, Lifetime)?.Value;
}
