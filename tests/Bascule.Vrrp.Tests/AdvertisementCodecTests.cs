using System.Net;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Tests;

/// <summary>Bytes on the wire: RFC 9568 §5, RFC 3768 §5.</summary>
public sealed class AdvertisementCodecTests
{
    private static readonly IPAddress Source = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Group = IPAddress.Parse("224.0.0.18");
    private static readonly IPAddress Source6 = IPAddress.Parse("fe80::1");
    private static readonly IPAddress Group6 = IPAddress.Parse("ff02::12");
    private static readonly IPAddress[] Vip = [IPAddress.Parse("192.0.2.10")];
    private static readonly IPAddress[] Vip6 = [IPAddress.Parse("fe80::10"), IPAddress.Parse("2001:db8::10")];
    private static readonly byte[] NoPassword = [];

    [Fact]
    public void Version_3_looks_like_the_picture_5_2() =>
        Assert.Equal("31336401000AA8B6C000020A", Hex(V3(TimeSpan.FromMilliseconds(100)), Vip, Source, Group, ChecksumForm.MessageOnly));

    [Fact]
    public void Version_2_ends_with_eight_bytes_of_authentication_rfc_3768_5() =>
        Assert.Equal("213364010001" + "B8BF" + "C000020A" + "0000000000000000",
            Hex(new(VrrpVersion.V2, 51, 100, TimeSpan.FromSeconds(1)), Vip, Source, Group, ChecksumForm.PseudoHeader));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 1)]
    [InlineData(11, 2)]
    [InlineData(1000, 100)]
    [InlineData(40_950, 4095)]
    [InlineData(90_000, 4095)]
    public void Version_3_rounds_up_to_centiseconds_of_twelve_bits_5_2_7(int milliseconds, int centiseconds)
    {
        Advertisement heard = RoundTrip(V3(TimeSpan.FromMilliseconds(milliseconds)), Vip, Source, Group);

        Assert.Equal(centiseconds * TimeSpan.FromMilliseconds(10), heard.Interval);
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(1000, 1)]
    [InlineData(1001, 2)]
    [InlineData(300_000, 255)]
    public void Version_2_rounds_up_to_seconds(int milliseconds, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds),
        RoundTrip(new(VrrpVersion.V2, 51, 100, TimeSpan.FromMilliseconds(milliseconds)), Vip, Source, Group).Interval);

    [Fact]
    public void Reserved_bits_are_sent_as_0_and_not_looked_at_5_2_6()
    {
        byte[] message = Encode(V3(TimeSpan.FromSeconds(1)), Vip, Source, Group, ChecksumForm.MessageOnly);
        Assert.Equal(0, message[4] >> 4);

        message[4] |= 0xA0;
        message[6] -= 0xA0; // the checksum of the same word
        if (message[6] >= 0x60) // borrowed: one's complement gives it back at the other end
            message[7]--;

        Assert.Equal(DecodeError.None, AdvertisementCodec.TryDecode(message, VrrpVersion.V3, Source, Group, NoPassword, out Advertisement heard, out _));
        Assert.Equal(V3(TimeSpan.FromSeconds(1)), heard);
    }

    [Fact]
    public void IPv6_comes_back_as_it_was()
    {
        Advertisement sent = new(VrrpVersion.V3, 255, 254, TimeSpan.FromSeconds(1));

        Assert.Equal(sent, RoundTrip(sent, Vip6, Source6, Group6));
    }

    [Theory]
    [InlineData(ChecksumForm.PseudoHeader)]
    [InlineData(ChecksumForm.MessageOnly)]
    public void Both_checksums_of_version_3_over_IPv4_are_accepted_and_told_apart_5_2_8(ChecksumForm form)
    {
        byte[] message = Encode(V3(TimeSpan.FromSeconds(1)), Vip, Source, Group, form);

        Assert.Equal(DecodeError.None, AdvertisementCodec.TryDecode(message, VrrpVersion.V3, Source, Group, NoPassword, out _, out ChecksumForm heard));
        Assert.Equal(form, heard);
    }

    [Fact]
    public void IPv6_needs_the_pseudo_header_5_2_8()
    {
        byte[] message = Encode(V3(TimeSpan.FromSeconds(1)), Vip6, Source6, Group6, ChecksumForm.PseudoHeader);

        Assert.Equal(DecodeError.WrongChecksum, Decode(message, VrrpVersion.V3, IPAddress.Parse("fe80::2"), Group6));
    }

    [Theory]
    [InlineData(0, 0x21, DecodeError.WrongVersion)]
    [InlineData(0, 0x32, DecodeError.WrongType)]
    [InlineData(1, 0, DecodeError.NoVirtualRouterId)]
    [InlineData(3, 0, DecodeError.NoAddresses)]
    [InlineData(3, 2, DecodeError.Truncated)]
    [InlineData(2, 101, DecodeError.WrongChecksum)]
    [InlineData(6, 0x12, DecodeError.WrongChecksum)]
    public void A_wrong_byte_has_a_name_7_1(int at, byte value, DecodeError expected)
    {
        byte[] message = Encode(V3(TimeSpan.FromSeconds(1)), Vip, Source, Group, ChecksumForm.PseudoHeader);
        message[at] = value;

        Assert.Equal(expected, Decode(message));
    }

    [Fact]
    public void No_length_is_read_beyond()
    {
        byte[] message = Encode(V3(TimeSpan.FromSeconds(1)), Vip, Source, Group, ChecksumForm.PseudoHeader);

        for (int length = 0; length < message.Length; length++)
            Assert.Equal(DecodeError.Truncated, Decode(message[..length]));
        Assert.Equal(DecodeError.None, Decode([.. message, .. new byte[34]])); // Ethernet's padding
    }

    [Fact]
    public void The_password_must_be_the_one_agreed_on()
    {
        Advertisement sent = new(VrrpVersion.V2, 51, 100, TimeSpan.FromSeconds(1));
        byte[] buffer = new byte[AdvertisementCodec.MaxLength];
        int length = AdvertisementCodec.Encode(sent, Vip, Source, Group, ChecksumForm.PseudoHeader, "secret"u8, buffer);

        Assert.Equal(DecodeError.None, AdvertisementCodec.TryDecode(buffer.AsSpan(0, length), VrrpVersion.V2, Source, Group, "secret"u8, out _, out _));
        Assert.Equal(DecodeError.WrongAuthentication, AdvertisementCodec.TryDecode(buffer.AsSpan(0, length), VrrpVersion.V2, Source, Group, "Secret"u8, out _, out _));
        Assert.Equal(DecodeError.WrongAuthentication, Decode(buffer[..length], VrrpVersion.V2));
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        Random random = new(9568);
        byte[] buffer = new byte[64];
        for (int i = 0; i < 200_000; i++)
        {
            random.NextBytes(buffer);
            buffer[0] = 0x31;
            Decode(buffer[..random.Next(buffer.Length)]);
        }
    }

    private static Advertisement V3(TimeSpan interval) => new(VrrpVersion.V3, 51, 100, interval);

    private static DecodeError Decode(byte[] message, VrrpVersion version = VrrpVersion.V3, IPAddress? source = null, IPAddress? destination = null) =>
        AdvertisementCodec.TryDecode(message, version, source ?? Source, destination ?? Group, NoPassword, out _, out _);

    private static Advertisement RoundTrip(Advertisement sent, IPAddress[] addresses, IPAddress source, IPAddress destination)
    {
        byte[] message = Encode(sent, addresses, source, destination, ChecksumForm.PseudoHeader);
        Assert.Equal(DecodeError.None, AdvertisementCodec.TryDecode(message, sent.Version, source, destination, NoPassword, out Advertisement heard, out _));
        return heard;
    }

    private static string Hex(Advertisement sent, IPAddress[] addresses, IPAddress source, IPAddress destination, ChecksumForm form) =>
        Convert.ToHexString(Encode(sent, addresses, source, destination, form));

    private static byte[] Encode(Advertisement sent, IPAddress[] addresses, IPAddress source, IPAddress destination, ChecksumForm form)
    {
        byte[] buffer = new byte[AdvertisementCodec.MaxLength];
        return buffer[..AdvertisementCodec.Encode(sent, addresses, source, destination, form, NoPassword, buffer)];
    }
}
