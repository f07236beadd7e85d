using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

public sealed class NearestTests
{
    private static readonly string[] Settings = ["address", "realServers", "sorryServer", "protocol", "check"];

    [Theory]
    [InlineData("adress", "address")]
    [InlineData("addresss", "address")]
    [InlineData("addrses", "address")]
    [InlineData("real_servers", "realServers")]
    [InlineData("Real-Server", "realServers")]
    [InlineData("sorryserver", "sorryServer")]
    [InlineData("chekc", "check")]
    public void Finds_what_was_meant(string word, string meant) => Assert.Equal(meant, Nearest.To(word, Settings));

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("weather")]
    [InlineData("address1234567")]
    public void Does_not_guess_wildly(string word) => Assert.Null(Nearest.To(word, Settings));

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "acb", 1)]
    [InlineData("kitten", "sitting", 3)]
    public void Counts_edits(string from, string to, int edits) => Assert.Equal(edits, Nearest.Distance(from, to));
}
