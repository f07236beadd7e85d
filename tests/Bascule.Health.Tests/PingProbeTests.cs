using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health.Tests;

public sealed class PingProbeTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.77")]
    [InlineData("::1")]
    public async Task Hears_the_echo_of_a_machine_that_is_there(string address) => Assert.Equal("up: echo", await Ask.WhyAsync(new PingCheck(), new(IPAddress.Parse(address), 80)));

    [Fact]
    public async Task Many_at_a_time_each_hear_their_own()
    {
        string[] answers = await Task.WhenAll(Enumerable.Range(1, 50).Select(i => Ask.WhyAsync(new PingCheck(), new(IPAddress.Parse($"127.0.0.{i}"), 0))));

        Assert.All(answers, answer => Assert.Equal("up: echo", answer));
    }

    [Fact]
    public async Task A_network_without_a_way_is_down() =>
        Assert.StartsWith("down: ", await Ask.WhyAsync(new PingCheck(), new(IPAddress.Parse("240.0.0.1"), 0)), StringComparison.Ordinal); // class E, RFC 1112 §4: no host has it
}
