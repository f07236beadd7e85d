using System.Text;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>Cookies as RFC 6265 §5 takes them apart: whatever comes.</summary>
public sealed class CookieListTests
{
    [Theory]
    [InlineData("a=1", "a:1")]
    [InlineData("a=1; b=2", "a:1 b:2")]
    [InlineData("a=1;b=2;", "a:1 b:2")]
    [InlineData(" a = 1 ;\tb=2", "a:1 b:2")]
    [InlineData("a=\"1\"; b=\"", "a:1 b:\"")]
    [InlineData("a=1=2==", "a:1=2==")]
    [InlineData("a=", "a:")]
    [InlineData("=1; a; ;;=; b=2", "b:2")]
    [InlineData("a=1; a=2", "a:1 a:2")]
    [InlineData("a=ä; ö=1", "a:ä ö:1")]
    [InlineData("", "")]
    [InlineData("=", "")]
    [InlineData(";", "")]
    public void A_cookie_field_is_read_as(string field, string expected)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(field);
        List<string> read = [];

        while (CookieList.TakePair(ref rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            read.Add($"{Encoding.UTF8.GetString(name)}:{Encoding.UTF8.GetString(value)}");

        Assert.Equal(expected, string.Join(' ', read));
    }

    [Theory]
    [InlineData("s=1", "s:1")]
    [InlineData("s=1; Path=/; HttpOnly", "s:1")]
    [InlineData("s=\"1\" ; Secure", "s:1")]
    [InlineData("s=1; Max-Age=60", "s:1")]
    [InlineData("s=1; Max-Age=", "s:1")]
    [InlineData("s=1; Max-Age=x", "s:1")]
    [InlineData("s=1; Max-Age=0", null)]
    [InlineData("s=1; max-age=00", null)]
    [InlineData("s=1; Path=/; MAX-AGE = -1", null)]
    [InlineData("s", null)]
    [InlineData("=1", null)]
    [InlineData("", null)]
    public void A_cookie_is_learned_from(string field, string? expected)
    {
        bool isRead = CookieList.TryReadSetCookie(Encoding.UTF8.GetBytes(field), out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);

        Assert.Equal(expected, isRead ? $"{Encoding.UTF8.GetString(name)}:{Encoding.UTF8.GetString(value)}" : null);
    }

    [Theory]
    [InlineData("/shop;jsessionid=1A2B", "1A2B")]
    [InlineData("/shop;JSESSIONID=1A2B?x=y", "1A2B")]
    [InlineData("/a;v=1;jsessionid=1A2B/b;c", "1A2B")]
    [InlineData("/shop?jsessionid=1A2B", "1A2B")]
    [InlineData("/shop?x=y&jsessionid=1A2B&z", "1A2B")]
    [InlineData("/shop?x=y;JSessionId=1A2B", "1A2B")]
    [InlineData("/shop;jsessionid=path?jsessionid=query", "path")]
    [InlineData("/shop;jsessionid=?jsessionid=query", "query")]
    [InlineData("/shop?ajsessionid=1A2B", "")]
    [InlineData("/shop?jsessionid", "")]
    [InlineData("/shop?jsessionid=", "")]
    [InlineData("/shop?redirect=;jsessionid", "")]
    [InlineData("/jsessionid=1A2B", "")]
    [InlineData("?", "")]
    [InlineData(";", "")]
    [InlineData("*", "")]
    [InlineData("", "")]
    public void A_parameter_of_the_url_is_found(string target, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(UrlParameter.Find(Encoding.UTF8.GetBytes(target), "JSESSIONID"u8)));

    [Fact]
    public void No_bytes_do_any_harm_and_what_is_found_lies_inside()
    {
        Random chance = new(1);
        byte[] letters = "=;;==&?/ \t\"jJ1\x00ÿ"u8.ToArray();
        byte[] bytes = new byte[48];
        for (int i = 0; i < 50_000; i++)
        {
            for (int at = 0; at < bytes.Length; at++)
                bytes[at] = letters[chance.Next(letters.Length)];
            ReadOnlySpan<byte> rest = bytes.AsSpan(0, chance.Next(bytes.Length));
            Assert.InRange(UrlParameter.Find(rest, "j"u8).Length, 0, rest.Length);
            CookieList.TryReadSetCookie(rest, out _, out _);
            int length = rest.Length;
            while (CookieList.TakePair(ref rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            {
                Assert.InRange(name.Length, 1, length);
                Assert.InRange(value.Length, 0, length);
            }
        }
    }
}
