using Bascule.Replication.Streams;

namespace Bascule.Replication.Tests.Streams;

public sealed class ExchangeTests
{
    [Fact]
    public void A_peer_that_has_just_come_gets_everything_in_both_directions()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 100), Filled("numbers", 100, 50));
        using Pair pair = new([a], [b]);

        pair.Settle();

        Assert.Equal(150, a.Values.Length);
        Assert.Equal(a.Values, b.Values);
        Assert.True(pair.StatusOfA.IsInStep);
        Assert.Equal((100, 50, 1), (pair.StatusOfA.Sent, pair.StatusOfA.Received, pair.StatusOfA.Bulks));
    }

    [Fact]
    public void Then_it_gets_changes_and_no_more_than_these()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 100), new("numbers"));
        using Pair pair = new([a], [b]);
        pair.Settle();

        a.Set(7, 1000);
        pair.Settle();

        Assert.Contains((7, 1000), b.Values);
        Assert.Equal((101, 1), (pair.StatusOfA.Sent, pair.StatusOfA.Bulks));
    }

    [Fact]
    public void What_came_from_the_peer_is_not_told_back()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 100), new("numbers"));
        using Pair pair = new([a], [b]);

        pair.Settle();

        Assert.Equal(0, pair.B.Status()[0].Sent);
    }

    [Fact]
    public void A_change_in_the_middle_of_the_bulk_is_not_lost_whether_its_entry_has_gone_or_not()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 5000, padding: 1000), new("numbers"));
        int read = 0;
        a.WhileBulk = () =>
        {
            if (++read == 2500)
            {
                a.Set(10, 1000);
                a.Set(4990, 2000);
            }
        };
        using Pair pair = new([a], [b]);

        pair.Settle();

        Assert.Equal(a.Values, b.Values);
        Assert.Contains((10, 1000), b.Values);
        Assert.Contains((4990, 2000), b.Values);
        Assert.Equal(1, pair.StatusOfA.Bulks);
    }

    [Fact]
    public void A_peer_that_does_not_listen_costs_no_more_than_its_outbox_and_gets_everything_again_once_it_does()
    {
        (FakeState a, FakeState b) = (new("numbers") { Padding = 1000 }, new("numbers"));
        using Pair pair = new([a], [b]);
        pair.Settle();

        for (int i = 0; i < 20_000; i++)
        {
            a.Set(i, i);
            if (i % 100 == 0)
                pair.TurnA();
        }

        pair.TurnA();
        Assert.Equal(0, pair.OutOfA.Room);
        Assert.False(pair.StatusOfA.IsInStep);

        pair.Settle();
        Assert.Equal(a.Values, b.Values);
        Assert.True(pair.StatusOfA.IsInStep);
        Assert.Equal(2, pair.StatusOfA.Bulks);
    }

    [Fact]
    public void A_state_that_could_not_keep_its_changes_is_sent_whole()
    {
        (FakeState a, FakeState b) = (new("numbers") { MostChanges = 10 }, new("numbers"));
        using Pair pair = new([a], [b]);
        pair.Settle();

        for (int i = 0; i < 11; i++)
            a.Set(i, i);
        pair.Settle();

        Assert.Equal(a.Values, b.Values);
        Assert.Equal(2, pair.StatusOfA.Bulks);
    }

    [Fact]
    public void It_is_not_in_step_before_the_peer_has_said_so()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 10), new("numbers"));
        using Pair pair = new([a], [b]);
        pair.TurnB();
        pair.ToA();
        pair.TurnA();

        Assert.False(pair.StatusOfA.IsInStep);

        pair.Settle();
        Assert.True(pair.StatusOfA.IsInStep);
    }

    [Fact]
    public void Each_kind_of_state_finds_its_own_whatever_the_order_and_one_that_the_other_does_not_have_is_not_sent()
    {
        (FakeState a1, FakeState a2, FakeState a3) = (Filled("one", 0, 10), Filled("two", 10, 10), Filled("three", 20, 10));
        (FakeState b2, FakeState b1) = (new("two"), new("one"));
        using Pair pair = new([a1, a2, a3], [b2, b1]);

        pair.Settle();

        Assert.Equal(a1.Values, b1.Values);
        Assert.Equal(a2.Values, b2.Values);
        Assert.Equal((0, false), (pair.A.Status()[2].Sent, pair.A.Status()[2].IsInStep));
    }

    [Fact]
    public void An_entry_missing_from_the_middle_brings_everything_again()
    {
        (FakeState a, FakeState b) = (Filled("numbers", 0, 10), new("numbers"));
        using Pair pair = new([a], [b]);
        pair.Settle();

        a.Set(20, 1);
        pair.TurnA();
        while (pair.OutOfA.Records.TryRead(out _))
        {
            // Lost.
        }

        a.Set(21, 1);
        pair.Settle();

        Assert.Equal(a.Values, b.Values);
        Assert.Equal(2, pair.StatusOfA.Bulks);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32 * 1024)]
    [InlineData((32 * 1024) + 1)]
    [InlineData(IncomingTransfer.Longest)]
    public void A_question_and_its_answer_arrive_whole(int length)
    {
        byte[] question = new byte[length];
        new Random(1).NextBytes(question);
        using Pair pair = new([], []);
        pair.A.Ask(77, question);
        pair.Settle();
        (uint id, byte[] asked) = Assert.Single(pair.Questions);
        Assert.True(asked.AsSpan().SequenceEqual(question));

        pair.B.Answer(id, [.. asked.Reverse()]);
        pair.Settle();

        (uint answered, byte[] answer) = Assert.Single(pair.Answers);
        Assert.Equal(77u, answered);
        Assert.True(answer.Reverse().SequenceEqual(question));
    }

    [Fact]
    public void Questions_do_not_wait_for_the_bulk()
    {
        using Pair pair = new([Filled("numbers", 0, 20_000, padding: 1000)], [new FakeState("numbers")]);
        pair.TurnB();
        pair.ToA();
        pair.TurnA();

        pair.A.Ask(1, [1]);
        pair.ToB();
        pair.TurnA();
        pair.ToB();

        Assert.Single(pair.Questions);
        Assert.False(pair.StatusOfA.IsInStep);
    }

    [Theory]
    [InlineData("0200001")] // not a whole message
    [InlineData("05000A00000000000000000000")] // an entry before the hello
    [InlineData("01000100010001 00")] // a second hello
    [InlineData("010002014141")] // a name longer than the message
    [InlineData("01000103")] // names that do not come
    [InlineData("010005020141 0141")] // the same name twice
    [InlineData("0100022100")] // too many streams
    [InlineData("01000100 06000900000000000000FFFF")] // an ack of what was never sent
    [InlineData("01000100 0300FF00")] // a stream that is not there
    [InlineData("01000100 080003000000")] // a piece without its head
    [InlineData("01000100 08000D0000000100000001 00000005 00")] // a piece from the middle
    [InlineData("01000100 08000D00000001FFFFFFFF 00000000 00")] // a negative length
    [InlineData("01000100 08000D000000017FFFFFFF 00000000 00")] // a huge one
    public void What_is_not_to_be_understood_ends_the_connection(string hex)
    {
        string digits = hex.Replace(" ", "", StringComparison.Ordinal);
        byte[] record = Convert.FromHexString(digits.Length % 2 == 0 ? digits : digits + "0");
        using Exchange exchange = new([new FakeState("numbers")], new());

        Assert.False(exchange.TryTake(record));
    }

    [Fact]
    public void Whatever_bytes_come_nothing_is_thrown_and_what_is_said_stays_bounded()
    {
        Random random = new(9);
        byte[] hello = [1, 0, 9, 1, 7, .. "numbers"u8];
        for (int round = 0; round < 3_000; round++)
        {
            Outbox outbox = new();
            using Exchange exchange = new([new FakeState("numbers")], outbox);
            byte[] record = new byte[random.Next(1, 60)];
            random.NextBytes(record);
            for (int at = 0; at + 2 < record.Length; at += 3 + record[at + 2])
                (record[at], record[at + 1], record[at + 2]) = ((byte)random.Next(0, 12), 0, (byte)(record[at + 2] % 20));

            exchange.TryTake(hello);
            for (int i = 0; i < 3; i++)
            {
                exchange.TryTake(record);
                exchange.GoOn();
            }

            Assert.InRange(Outbox.Capacity - outbox.Room, 0, 4);
        }
    }

    private static FakeState Filled(string name, int from, int count, int padding = 0)
    {
        FakeState state = new(name) { Padding = padding };
        for (int i = from; i < from + count; i++)
            state.Set(i, i);
        state.TakeChanges(_ => { });
        return state;
    }
}
