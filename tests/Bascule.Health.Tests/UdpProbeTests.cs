using System.Text;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>dnsmasq, which knows one name.</summary>
public sealed class Dnsmasq : RealProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("dnsmasq-base") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync() => Task.FromResult<string[]>(
    [
        Installed.Find("dnsmasq-base")!, "--keep-in-foreground", "--conf-file=/dev/null", $"--port={Port}", "--listen-address=127.0.0.1", "--bind-interfaces",
        "--no-resolv", "--no-hosts", "--pid-file=", "--address=/ok.example/192.0.2.1", "--user=",
    ]); // it listens on TCP too, by which its readiness is known
}

public sealed class UdpProbeTests(Dnsmasq dnsmasq) : IClassFixture<Dnsmasq>
{
    /// <summary>A question for the address of ok.example. RFC 1035 §4.1.</summary>
    private static readonly ValueList<byte> Question = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, (byte)'o', (byte)'k', 7, .. "example"u8, 0, 0, 1, 0, 1];

    private static readonly UdpCheck AnyAnswer = new() { Payload = [.. "ping"u8], Reply = null, ReplyPattern = null, RequiresReply = true };

    [RealProgramFact("dnsmasq-base")]
    public async Task Asks_dnsmasq_in_its_own_words()
    {
        UdpCheck check = AnyAnswer with { Payload = Question, Reply = [192, 0, 2, 1], ReplyPattern = [0x12, 0x34, null, 0x80, 0, 1, 0, 1] };

        Assert.Equal("up: 44 bytes", await Ask.WhyAsync(check, dnsmasq.Address));
        Assert.StartsWith("down: the answer begins with 1234", await Ask.WhyAsync(check with { ReplyPattern = [0x12, 0x34, 0] }, dnsmasq.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_answer_must_contain_the_text()
    {
        Assert.Equal("up: 5 bytes", await AnsweredAsync(AnyAnswer with { Reply = [.. "ong"u8] }, "pong\n"));
        Assert.Equal("down: the answer \"pong\" does not contain \"ping\"", await AnsweredAsync(AnyAnswer with { Reply = [.. "ping"u8] }, "pong\n"));
    }

    [Fact]
    public async Task The_answer_must_be_as_long_as_the_pattern()
    {
        Assert.Equal("up: 2 bytes", await AnsweredAsync(AnyAnswer with { ReplyPattern = [null, (byte)'b'] }, "ab"));
        Assert.Equal("down: the answer begins with 6162, not with 61XXXX", await AnsweredAsync(AnyAnswer with { ReplyPattern = [(byte)'a', null, null] }, "ab"));
    }

    [Fact]
    public async Task An_empty_answer_is_an_answer()
    {
        Assert.Equal("up: 0 bytes", await AnsweredAsync(AnyAnswer with { Payload = [] }, ""));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_port_at_which_nobody_listens_is_down(bool requiresReply) =>
        Assert.Equal("down: nobody listens (ICMP port unreachable)", await Ask.WhyAsync(AnyAnswer with { RequiresReply = requiresReply }, RealProgram.FreeAddress()));

    [Fact]
    public async Task Silence_is_good_enough_only_where_no_answer_is_required()
    {
        using DatagramServer silent = new();

        await Ask.InVainAsync(AnyAnswer, silent.Address);
        Assert.Equal("up: no answer and no refusal", await Ask.WhyAsync(AnyAnswer with { RequiresReply = false, Timeout = TimeSpan.FromMilliseconds(50) }, silent.Address));
    }

    /// <summary>What comes of an answer in these words.</summary>
    private static async Task<string> AnsweredAsync(UdpCheck check, string words)
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(check, server.Address);
        await server.HearAsync();
        await server.SayAsync(Encoding.UTF8.GetBytes(words));
        return await asking;
    }
}
