using Bascule.Core.Model;
using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class ResponsesTests
{
    public static TheoryData<ForwardOutcome, int> Told => new()
    {
        { ForwardOutcome.ClientSentBadRequest, 400 },
        { ForwardOutcome.ClientSentLongRequestLine, 414 },
        { ForwardOutcome.ClientSentLargeHead, 431 },
        { ForwardOutcome.ClientSentUnsupported, 501 },
        { ForwardOutcome.ClientTimedOut, 408 },
        { ForwardOutcome.NoRealServer, 503 },
        { ForwardOutcome.WorkerFull, 503 },
        { ForwardOutcome.RealServerRefused, 502 },
        { ForwardOutcome.RealServerBrokeOff, 502 },
        { ForwardOutcome.RealServerSentBadResponse, 502 },
        { ForwardOutcome.RealServerTimedOut, 504 },
    };

    [Theory]
    [MemberData(nameof(Told))]
    public void Every_failure_has_an_answer_that_a_strict_client_understands(ForwardOutcome outcome, int status) =>
        AssertAnswer(Responses.For(outcome, Method.Get), status);

    [Theory]
    [MemberData(nameof(Told))]
    public void The_answer_to_head_is_the_same_without_its_body(ForwardOutcome outcome, int status)
    {
        byte[] answer = Responses.For(outcome, Method.Head).ToArray();
        ResponseHead head = new();

        Assert.Equal(ParseResult.Complete, head.Parse(answer, Heads.Limits, Method.Head, upgrading: false));
        Assert.Equal(status, head.Status);
        Assert.Equal(answer.Length, head.Length);
    }

    [Theory]
    [InlineData(ForwardOutcome.Completed)]
    [InlineData(ForwardOutcome.CompletedBySorryServer)]
    [InlineData(ForwardOutcome.ClientLeft)]
    [InlineData(ForwardOutcome.ClientSentNoProxyHeader)]
    [InlineData(ForwardOutcome.ShutDown)]
    [InlineData(ForwardOutcome.DatagramTooLarge)]
    [InlineData(ForwardOutcome.DatagramNotSent)]
    public void When_there_is_nothing_to_say_nothing_is_said(ForwardOutcome outcome) =>
        Assert.True(Responses.For(outcome, Method.Get).IsEmpty);

    [Fact]
    public void Every_refusal_has_an_answer_and_an_outcome()
    {
        foreach (ParseResult result in Enum.GetValues<ParseResult>().Except([ParseResult.Incomplete, ParseResult.Complete]))
        {
            Assert.NotNull(result.RequestOutcome());
            AssertAnswer(Responses.For(result), result.Refusal()!.Value.Status);
        }

        Assert.True(Responses.For(ParseResult.Complete).IsEmpty);
        Assert.Null(ParseResult.Incomplete.RequestOutcome());
    }

    [Theory]
    [InlineData(ParseResult.LengthAndTransferEncoding, ForwardOutcome.ClientSentBadRequest)]
    [InlineData(ParseResult.RequestLineTooLong, ForwardOutcome.ClientSentLongRequestLine)]
    [InlineData(ParseResult.HeadTooLarge, ForwardOutcome.ClientSentLargeHead)]
    [InlineData(ParseResult.TooManyFields, ForwardOutcome.ClientSentLargeHead)]
    [InlineData(ParseResult.UnsupportedVersion, ForwardOutcome.ClientSentUnsupported)]
    [InlineData(ParseResult.UnsupportedMethod, ForwardOutcome.ClientSentUnsupported)]
    [InlineData(ParseResult.UnsupportedExpectation, ForwardOutcome.ClientSentUnsupported)]
    public void A_refusal_is_counted_by_who_and_what(object result, ForwardOutcome outcome) =>
        Assert.Equal(outcome, ((ParseResult)result).RequestOutcome());

    private static void AssertAnswer(ReadOnlySpan<byte> answer, int status)
    {
        ResponseHead head = new();

        Assert.Equal(ParseResult.Complete, head.Parse(answer, Heads.Limits, Method.Get, upgrading: false));
        Assert.Equal(status, head.Status);
        Assert.False(head.KeepAlive);
        Assert.Equal(answer.Length, head.Length + head.ContentLength);
        Assert.EndsWith(".\n", Heads.Text(answer), StringComparison.Ordinal);
    }
}
