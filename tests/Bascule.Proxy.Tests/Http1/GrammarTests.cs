using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>The vector searches against plain loops: every byte value, at every place in and around a vector.</summary>
public sealed class GrammarTests
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    [Fact]
    public void A_token_ends_at_the_first_byte_that_is_not_one_of_its_characters()
    {
        byte[] text = new byte[70];
        for (int value = 0; value < 256; value++)
        {
            for (int at = 0; at < text.Length; at++)
            {
                Array.Fill(text, (byte)'a');
                text[at] = (byte)value;
                int expected = TokenCharacters.Contains((char)value) ? text.Length : at;

                Assert.Equal(expected, Grammar.Token.EndOfRun(text, 0));
                Assert.Equal(expected, Grammar.Token.EndOfRun(text, Math.Min(at, 3)));
            }
        }
    }

    [Fact]
    public void A_line_ends_at_the_first_control_character_that_is_not_a_tab()
    {
        byte[] text = new byte[100];
        for (int value = 0; value < 256; value++)
        {
            for (int at = 0; at < text.Length; at++)
            {
                Array.Fill(text, (byte)'\t');
                text[at] = (byte)value;
                bool stops = value is < ' ' and not '\t' or 127;

                ParseResult result = Grammar.FindLineEnd(text, 0, out int end);

                Assert.Equal(stops ? at : text.Length, end);
                Assert.Equal(Expected(value, stops, isLast: at == text.Length - 1), result);
            }
        }
    }

    private static ParseResult Expected(int value, bool stops, bool isLast) => value switch
    {
        '\n' => ParseResult.BareLineFeed,
        '\r' => isLast ? ParseResult.Incomplete : ParseResult.BareCarriageReturn,
        _ => stops ? ParseResult.ControlCharacter : ParseResult.Incomplete,
    };

    [Theory]
    [InlineData("Host", KnownField.Host)]
    [InlineData("hOST", KnownField.Host)]
    [InlineData("TE", KnownField.Te)]
    [InlineData("TRANSFER-encoding", KnownField.TransferEncoding)]
    [InlineData("transfer_encoding", KnownField.LookAlike)]
    [InlineData("Content-Length", KnownField.ContentLength)]
    [InlineData("Content-Lengti", KnownField.Other)]
    [InlineData("Content-Lengthy", KnownField.Other)]
    [InlineData("Content.Length", KnownField.Other)]
    [InlineData("C\u007fntent-Length", KnownField.Other)]
    [InlineData("x-forwarded_for", KnownField.LookAlike)]
    [InlineData("X-Forwarded-Far", KnownField.Other)]
    [InlineData("_", KnownField.Other)]
    public void Names_are_known_whatever_their_case(string name, object known) =>
        Assert.Equal(known, KnownFields.Recognise(Heads.Bytes(name)));

    [Theory]
    [InlineData("a", "A:80", true)]
    [InlineData("a:", "a", true)]
    [InlineData("a:8080", "a:8080", true)]
    [InlineData("a:8080", "a", false)]
    [InlineData("[::1]:80", "[::1]", true)]
    [InlineData("a", "b", false)]
    public void Two_authorities_are_one_whatever_their_case_and_with_the_default_port(string one, string other, bool same) =>
        Assert.Equal(same, Grammar.IsSameAuthority(Heads.Bytes(one), Heads.Bytes(other)));
}
