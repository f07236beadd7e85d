namespace Bascule.Tests.Commands;

public sealed class DecapTests
{
    [Fact]
    public async Task Prints_the_commands_for_a_real_server_that_prefers_the_kernel_s_tunnels()
    {
        (int code, string output, string error) = await BasculeProcess.RunAsync("decap", "eth0", "-v", "192.0.2.10", "-v", "2001:db8::10", "--gue-port", "7070", "--print");

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("ip address add 192.0.2.10/32 dev lo\n", output, StringComparison.Ordinal);
        Assert.Contains("ip address add 2001:db8::10/128 dev lo nodad\n", output, StringComparison.Ordinal);
        Assert.Contains("ip fou add port 7070 gue", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--virtual", "192.0.2.x", "192.0.2.x is not an IP address")]
    [InlineData("--gue-port", "70000", "--gue-port must be a number from 1 to 65535, not 70000")]
    public async Task Says_what_is_wrong_with_an_argument(string option, string value, string expected)
    {
        (int code, _, string error) = await BasculeProcess.RunAsync("decap", "eth0", "-v", "192.0.2.10", option, value);

        Assert.Equal(2, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
