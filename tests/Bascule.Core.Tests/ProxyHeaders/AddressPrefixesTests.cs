using System.Net;
using Bascule.Core.ProxyHeaders;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.ProxyHeaders;

public sealed class AddressPrefixesTests
{
    [Theory]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("192.0.2.7", true)]
    [InlineData("192.0.2.6", false)]
    [InlineData("2001:db8:1::", true)]
    [InlineData("2001:db9::", false)]
    [InlineData("::10.0.0.1", false)]
    public void Hold_what_begins_with_one_of_them(string address, bool isHeld)
    {
        AddressPrefixes prefixes = new([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.0.2.7/32"), IPNetwork.Parse("2001:db8::/32")]);

        Assert.Equal(isHeld, prefixes.Contain(ClientAddress.Of(new IPEndPoint(IPAddress.Parse(address), 80))));
    }

    [Fact]
    public void Everybody_is_held_by_a_prefix_of_no_bits_but_of_its_family()
    {
        AddressPrefixes everybody = new([IPNetwork.Parse("0.0.0.0/0")]);

        Assert.True(everybody.Contain(new(0, uint.MaxValue, 1, IsIpv4: true)));
        Assert.False(everybody.Contain(new(0, 1, 1, IsIpv4: false)));
    }
}
