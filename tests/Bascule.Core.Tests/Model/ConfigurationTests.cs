using Bascule.Core.Model;

namespace Bascule.Core.Tests.Model;

/// <summary>"Has it changed?" is one comparison: equal values are equal records, however they were built.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public void Lists_are_equal_when_their_elements_are()
    {
        ValueList<HeaderField> one = [new("a", "1"), new("b", "2")];
        ValueList<HeaderField> same = [new("a", "1"), new("b", "2")];

        Assert.True(one.Equals(same));
        Assert.True(one.Equals((object)same));
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
    }

    [Fact]
    public void Lists_differ_by_an_element_by_order_and_by_length()
    {
        ValueList<int> list = [1, 2, 3];

        Assert.False(list.Equals([1, 2, 4]));
        Assert.False(list.Equals([3, 2, 1]));
        Assert.False(list.Equals([1, 2]));
        Assert.False(list.Equals([]));
        Assert.False(list.Equals(null));
    }

    [Fact]
    public void Lists_keep_their_elements_in_order()
    {
        ValueList<int> list = [3, 1, 2];

        Assert.Equal(3, list.Count);
        Assert.Equal([3, 1, 2], (int[])[.. list]);
        Assert.Equal([3, 1, 2], list.AsImmutableArray().AsEnumerable());
        Assert.Equal(1, list[1]);
    }

    [Fact]
    public void Virtual_servers_built_apart_are_equal_down_to_the_lists_inside_their_check()
    {
        Assert.NotSame(Sample.Web, Sample.Web);
        Assert.Equal(Sample.Web, Sample.Web);
        Assert.Equal(Sample.Web.GetHashCode(), Sample.Web.GetHashCode());
        Assert.NotEqual(Sample.Web, Sample.Web with { Check = Sample.Check with { Expect = [new(200, 298)] } });
        Assert.NotEqual(Sample.Web, Sample.Web with { RealServers = [new(Sample.One, 1), new(Sample.Two, 3)] });
    }

    [Fact]
    public void A_tcp_check_is_never_equal_to_an_http_check_with_the_same_times()
    {
        Check tcp = new TcpCheck
        {
            Interval = Sample.Check.Interval,
            Timeout = Sample.Check.Timeout,
            Rise = Sample.Check.Rise,
            Fall = Sample.Check.Fall,
            Port = null,
        };

        Assert.False(tcp.Equals(Sample.Check));
    }
}
