using System.Net;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Tests;

/// <summary>
/// HMAC trailers. The two images are those that keepalived's own test checks its code against (its draft's appendix: key 00 to 1F, id 1,
/// virtual router 51, priority 200, time 0x68000000.8000).
/// </summary>
public sealed class HmacTrailerTests
{
    private const string IPv4Image = "3133C80100644402C0000264" + "010100006800000080000000" + "1B84BC4E8E43892DC6D98448F8EE2265";
    private const string IPv6Image = "3133C8010064A2E9" + "FE800000000000000000000000000100" + "010100006800000080000000" + "C8C56146EBFD66EE10EC4D8186461B78";

    private static readonly IPAddress Source = IPAddress.Parse("198.51.100.10");
    private static readonly IPAddress Group = IPAddress.Parse("224.0.0.18");
    private static readonly IPAddress[] Vip = [IPAddress.Parse("192.0.2.100")];
    private static readonly IPAddress Source6 = IPAddress.Parse("fe80::10");
    private static readonly IPAddress Destination6 = IPAddress.Parse("fe80::20");
    private static readonly IPAddress[] Vip6 = [IPAddress.Parse("fe80::100")];
    private static readonly DateTimeOffset Noon = DateTimeOffset.FromUnixTimeSeconds(0x68000000).AddSeconds(0.5);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] OtherKey = [.. Enumerable.Range(0, 32).Select(i => (byte)~i)];
    private static readonly Advertisement Sent = new(VrrpVersion.V3, 51, 200, Second);

    [Fact]
    public void The_bytes_over_IPv4_are_keepalived_s() =>
        Assert.Equal(IPv4Image, Convert.ToHexString(Encode(Trailer(), Noon)));

    [Fact]
    public void The_bytes_over_IPv6_are_keepalived_s_with_a_checksum_over_the_trailer_too() =>
        Assert.Equal(IPv6Image, Convert.ToHexString(Encode(Trailer(), Noon, Source6)));

    [Fact]
    public void Keepalived_s_bytes_are_taken()
    {
        Assert.Equal(DecodeError.None, Decode(Trailer(), Convert.FromHexString(IPv4Image)));
        Assert.Equal(DecodeError.None, Decode(Trailer(), Convert.FromHexString(IPv6Image), source: Source6));
    }

    [Fact]
    public void A_message_signed_over_IPv4_may_have_either_checksum()
    {
        byte[] message = Encode(Trailer(), Noon, form: ChecksumForm.PseudoHeader);

        Assert.Equal(DecodeError.None, Decode(Trailer(), message));
    }

    [Fact]
    public void Version_2_is_signed_behind_its_authentication_data()
    {
        byte[] buffer = new byte[AdvertisementCodec.MaxLength];
        int length = AdvertisementCodec.Encode(Sent with { Version = VrrpVersion.V2 }, Vip, Source, Group, ChecksumForm.PseudoHeader, [], buffer, Trailer(), Noon);

        Assert.Equal(20 + HmacTrailer.Length, length);
        Assert.Equal(DecodeError.None, AdvertisementCodec.TryDecode(buffer.AsSpan(0, length), VrrpVersion.V2, Source, Group, [], out Advertisement heard, out _, Trailer(), Noon));
        Assert.Equal(Sent with { Version = VrrpVersion.V2 }, heard);
    }

    [Theory]
    [InlineData(12, 2, DecodeError.WrongTrailer)]    // type
    [InlineData(13, 9, DecodeError.UnknownHmacKey)]  // key
    [InlineData(13, 2, DecodeError.WrongHmac)]       // key: known, but not the one it was made with
    [InlineData(15, 1, DecodeError.WrongTrailer)]    // reserved
    [InlineData(16, 0x67, DecodeError.WrongTime)]    // seconds
    [InlineData(19, 1, DecodeError.WrongHmac)]       // seconds, within the window
    [InlineData(23, 1, DecodeError.WrongHmac)]       // counter
    [InlineData(39, 0, DecodeError.WrongHmac)]       // HMAC
    public void A_wrong_byte_in_the_trailer_has_a_name(int at, byte value, DecodeError expected)
    {
        byte[] message = Convert.FromHexString(IPv4Image);
        message[at] = value;

        Assert.Equal(expected, Decode(Trailer(), message));
    }

    [Fact]
    public void What_is_altered_with_its_checksum_put_right_is_noticed()
    {
        HmacTrailer trailer = Trailer();
        byte[] weak = Encode(trailer, Noon), strong = AdvertisementOf(priority: 201);
        strong.AsSpan(0, 12).CopyTo(weak);

        Assert.Equal(DecodeError.WrongHmac, Decode(Trailer(), weak));
    }

    [Fact]
    public void Somebody_else_s_message_is_not_the_sender_s() =>
        Assert.Equal(DecodeError.WrongHmac, Decode(Trailer(), Convert.FromHexString(IPv4Image), source: IPAddress.Parse("198.51.100.11")));

    [Fact]
    public void A_message_counts_once_and_from_then_on_only_later_ones()
    {
        HmacTrailer sender = Trailer(), receiver = Trailer();
        byte[] first = Encode(sender, Noon), second = Encode(sender, Noon), third = Encode(sender, Noon);

        Assert.Equal(DecodeError.None, Decode(receiver, first));
        Assert.Equal(DecodeError.Replayed, Decode(receiver, first));
        Assert.Equal(DecodeError.None, Decode(receiver, third));
        Assert.Equal(DecodeError.Replayed, Decode(receiver, second));
    }

    [Theory]
    [InlineData(5, DecodeError.None)]
    [InlineData(-5, DecodeError.None)]
    [InlineData(6, DecodeError.WrongTime)]
    [InlineData(-6, DecodeError.WrongTime)]
    public void Clocks_may_be_apart_by_the_window(int seconds, DecodeError expected) =>
        Assert.Equal(expected, Decode(Trailer(), Convert.FromHexString(IPv4Image), Noon.AddSeconds(seconds)));

    [Fact]
    public void A_forged_message_does_not_move_the_mark_against_replays()
    {
        HmacTrailer receiver = Trailer();
        byte[] later = Encode(Trailer(), Noon + Second);
        later[^1] ^= 1;

        Assert.Equal(DecodeError.WrongHmac, Decode(receiver, later));
        Assert.Equal(DecodeError.None, Decode(receiver, Convert.FromHexString(IPv4Image)));
    }

    [Fact]
    public void Numbers_grow_while_the_clock_stands_still_and_when_it_is_set_back_a_little()
    {
        HmacTrailer sender = Trailer(), receiver = Trailer();

        Assert.Equal(DecodeError.None, Decode(receiver, Encode(sender, Noon)));
        Assert.Equal(DecodeError.None, Decode(receiver, Encode(sender, Noon)));
        Assert.Equal(DecodeError.None, Decode(receiver, Encode(sender, Noon - (2 * Second))));
    }

    [Fact]
    public void A_clock_that_was_an_hour_ahead_and_is_corrected_is_heard_again_at_once()
    {
        HmacTrailer sender = Trailer(), receiver = Trailer();
        Assert.Equal(DecodeError.None, Decode(receiver, Encode(sender, Noon.AddHours(1)), Noon.AddHours(1)));

        Assert.Equal(DecodeError.None, Decode(receiver, Encode(sender, Noon), Noon));
    }

    [Fact]
    public void A_key_is_replaced_without_a_gap()
    {
        HmacTrailer before = Trailer(), after = Trailer(active: 2);

        Assert.Equal(DecodeError.None, Decode(after, Encode(before, Noon)));
        Assert.Equal(DecodeError.None, Decode(before, Encode(after, Noon)));
    }

    [Theory]
    [InlineData(HmacMode.ReceiveOnly, DecodeError.None, DecodeError.None)]
    [InlineData(HmacMode.Permissive, DecodeError.None, DecodeError.WrongHmac)]
    [InlineData(HmacMode.Enforce, DecodeError.NoHmac, DecodeError.WrongHmac)]
    public void Rolling_out_goes_from_hearing_to_sending_to_demanding(HmacMode mode, DecodeError without, DecodeError wrong)
    {
        HmacTrailer receiver = Trailer(mode);
        byte[] forged = Convert.FromHexString(IPv4Image);
        forged[^1] ^= 1;

        Assert.Equal(without, Decode(receiver, AdvertisementOf(200)));
        Assert.Equal(wrong, Decode(receiver, forged));
        Assert.Equal(DecodeError.None, Decode(receiver, Convert.FromHexString(IPv4Image)));
        Assert.Equal(without == DecodeError.None ? 1 : 0, receiver.TakenWithout);
        Assert.Equal(wrong == DecodeError.None ? 1 : 0, receiver.TakenWrong);
        Assert.Equal(mode == HmacMode.ReceiveOnly ? 12 : 12 + HmacTrailer.Length, Encode(Trailer(mode), Noon).Length);
    }

    [Fact]
    public void Who_knows_nothing_of_trailers_takes_signed_messages_all_the_same()
    {
        Assert.Equal(DecodeError.None, Decode(null, Convert.FromHexString(IPv4Image)));
        Assert.Equal(DecodeError.None, Decode(null, Convert.FromHexString(IPv6Image), source: Source6));
    }

    [Fact]
    public void Nine_senders_leave_the_one_that_spoke_last_longest_ago_forgotten_and_no_other()
    {
        HmacTrailer receiver = Trailer();
        byte[][] messages = [.. Enumerable.Range(1, 9).Select(i => Encode(Trailer(), Noon.AddMilliseconds(i), Address(i)))];
        for (int i = 1; i <= 9; i++)
            Assert.Equal(DecodeError.None, Decode(receiver, messages[i - 1], Noon.AddMilliseconds(i), Address(i)));

        for (int i = 2; i <= 9; i++)
            Assert.Equal(DecodeError.Replayed, Decode(receiver, messages[i - 1], Noon, Address(i)));
    }

    private static IPAddress Address(int last) => new([198, 51, 100, (byte)last]);

    private static HmacTrailer Trailer(HmacMode mode = HmacMode.Enforce, byte active = 1) =>
        new(new([], active, mode, 5 * Second), new Dictionary<byte, byte[]> { [1] = Key, [2] = OtherKey });

    private static byte[] AdvertisementOf(byte priority) => Encode(null, Noon, sent: Sent with { Priority = priority });

    private static byte[] Encode(HmacTrailer? trailer, DateTimeOffset now, IPAddress? source = null, ChecksumForm form = ChecksumForm.MessageOnly, Advertisement? sent = null)
    {
        byte[] buffer = new byte[AdvertisementCodec.MaxLength];
        (IPAddress[] addresses, IPAddress destination) = Equals(source, Source6) ? (Vip6, Destination6) : (Vip, Group);
        return buffer[..AdvertisementCodec.Encode(sent ?? Sent, addresses, source ?? Source, destination, form, [], buffer, trailer, now)];
    }

    private static DecodeError Decode(HmacTrailer? trailer, byte[] message, DateTimeOffset? now = null, IPAddress? source = null) =>
        AdvertisementCodec.TryDecode(message, VrrpVersion.V3, source ?? Source, Equals(source, Source6) ? Destination6 : Group, [], out _, out _, trailer, now ?? Noon);
}
