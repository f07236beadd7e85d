using Bascule.Replication.Wire;

namespace Bascule.Replication.Tests.Wire;

public sealed class HandshakeTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private static readonly ChannelIdentity Pair = new(Key, "a", "b");

    [Fact]
    public void Two_who_have_the_key_agree_and_each_side_sends_with_a_key_of_its_own()
    {
        (ChannelSecrets dialer, ChannelSecrets listener) = Agree();

        Assert.Equal(dialer.FromDialer.Key, listener.FromDialer.Key);
        Assert.Equal(dialer.FromListener.Key, listener.FromListener.Key);
        Assert.Equal(dialer.FromDialer.Start, listener.FromDialer.Start);
        Assert.NotEqual(dialer.FromDialer.Key, dialer.FromListener.Key);
    }

    [Fact]
    public void No_two_connections_have_the_same_keys() =>
        Assert.NotEqual(Agree().Dialer.FromDialer.Key, Agree().Dialer.FromDialer.Key);

    [Fact]
    public void A_hello_with_another_key_gets_no_answer()
    {
        using Handshake.Dialer dialer = new(new([.. Key.Reverse()], "a", "b"));

        Assert.Equal(HandshakeFailure.WrongKey, new Handshake.Listener(Pair).Hear(dialer.Hello, out byte[] answer));
        Assert.Empty(answer);
    }

    [Theory]
    [InlineData("a", "c")]
    [InlineData("c", "b")]
    [InlineData("b", "a")]
    public void A_hello_of_another_pair_with_the_same_key_gets_no_answer(string dialerName, string listenerName)
    {
        using Handshake.Dialer dialer = new(new(Key, dialerName, listenerName));

        Assert.Equal(HandshakeFailure.WrongKey, new Handshake.Listener(Pair).Hear(dialer.Hello, out _));
    }

    [Fact]
    public void Our_own_hello_sent_back_is_no_answer()
    {
        using Handshake.Dialer dialer = new(Pair);

        Assert.Equal(HandshakeFailure.NotOurs, dialer.Hear(dialer.Hello, out _, out ChannelSecrets? secrets));
        Assert.Null(secrets);
    }

    [Fact]
    public void A_recorded_hello_is_answered_and_gets_no_further()
    {
        Handshake.Listener first = new(Pair);
        using Handshake.Dialer dialer = new(Pair);
        first.Hear(dialer.Hello, out byte[] answer);
        dialer.Hear(answer, out byte[] recorded, out _);
        Handshake.Listener second = new(Pair);

        Assert.Null(second.Hear(dialer.Hello, out _));
        Assert.Equal(HandshakeFailure.WrongKey, second.Confirm(recorded, out ChannelSecrets? secrets));
        Assert.Null(secrets);
    }

    [Fact]
    public void A_recorded_answer_is_none_for_the_next_connection()
    {
        Handshake.Listener listener = new(Pair);
        using Handshake.Dialer first = new(Pair);
        using Handshake.Dialer second = new(Pair);
        listener.Hear(first.Hello, out byte[] recorded);

        Assert.Equal(HandshakeFailure.WrongKey, second.Hear(recorded, out _, out _));
    }

    [Fact]
    public void A_finish_before_the_hello_is_none() =>
        Assert.Equal(HandshakeFailure.WrongKey, new Handshake.Listener(Pair).Confirm([.. "BASC"u8, 1, 3, .. new byte[32]], out _));

    [Fact]
    public void No_bit_of_a_hello_can_be_turned()
    {
        using Handshake.Dialer dialer = new(Pair);

        Assert.All(EachBitTurned(dialer.Hello), turned => Assert.NotNull(new Handshake.Listener(Pair).Hear(turned, out _)));
    }

    [Fact]
    public void No_bit_of_an_answer_can_be_turned()
    {
        using Handshake.Dialer dialer = new(Pair);
        new Handshake.Listener(Pair).Hear(dialer.Hello, out byte[] answer);

        Assert.All(EachBitTurned(answer), turned =>
        {
            Assert.NotNull(dialer.Hear(turned, out byte[] finish, out ChannelSecrets? secrets));
            Assert.Empty(finish);
            Assert.Null(secrets);
        });
    }

    [Fact]
    public void No_bit_of_a_finish_can_be_turned()
    {
        Handshake.Listener listener = new(Pair);
        using Handshake.Dialer dialer = new(Pair);
        listener.Hear(dialer.Hello, out byte[] answer);
        dialer.Hear(answer, out byte[] finish, out _);

        Assert.All(EachBitTurned(finish), turned => Assert.NotNull(listener.Confirm(turned, out _)));
        Assert.Null(listener.Confirm(finish, out _));
    }

    [Fact]
    public void A_point_that_is_not_on_the_curve_is_refused_even_from_one_who_has_the_key()
    {
        byte[] open = [.. "BASC"u8, Handshake.Version, 1, .. new byte[32], .. Enumerable.Repeat((byte)7, 64)];

        Assert.Equal(HandshakeFailure.NoPoint, new Handshake.Listener(Pair).Hear([.. open, .. Pair.ProveHello(open)], out _));
    }

    [Fact]
    public void Another_version_is_named_as_what_it_is()
    {
        using Handshake.Dialer dialer = new(Pair);
        dialer.Hello[4]++;

        Assert.Equal(HandshakeFailure.OtherVersion, new Handshake.Listener(Pair).Hear(dialer.Hello, out _));
    }

    [Fact]
    public void Bytes_of_any_length_are_refused()
    {
        Random random = new(4);
        for (int length = 0; length < 400; length++)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            "BASC"u8[..int.Min(4, length)].CopyTo(bytes);
            using Handshake.Dialer dialer = new(Pair);

            Assert.NotNull(new Handshake.Listener(Pair).Hear(bytes, out _));
            Assert.NotNull(new Handshake.Listener(Pair).Confirm(bytes, out _));
            Assert.NotNull(dialer.Hear(bytes, out _, out _));
        }
    }

    private static (ChannelSecrets Dialer, ChannelSecrets Listener) Agree()
    {
        Handshake.Listener listener = new(Pair);
        using Handshake.Dialer dialer = new(Pair);
        Assert.Null(listener.Hear(dialer.Hello, out byte[] answer));
        Assert.Null(dialer.Hear(answer, out byte[] finish, out ChannelSecrets? ofDialer));
        Assert.Null(listener.Confirm(finish, out ChannelSecrets? ofListener));
        return (ofDialer!, ofListener!);
    }

    private static IEnumerable<byte[]> EachBitTurned(byte[] message) => Enumerable.Range(0, message.Length * 8).Select(bit =>
    {
        byte[] turned = [.. message];
        turned[bit / 8] ^= (byte)(1 << (bit % 8));
        return turned;
    });
}
