using System.Net.Sockets;
using Bascule.Core.Health;
using Bascule.Health.Loop;
using Bascule.Linux;

namespace Bascule.Health.Tests;

/// <summary>What strangers say reaches logs and terminals short and harmless.</summary>
public sealed class VerdictTests
{
    [Fact]
    public void Control_characters_of_a_real_server_do_not_reach_a_terminal()
    {
        Verdict said = Verdict.Failed("red \u001b[31m\r\nline\u202e") with { Warning = "bell\u0007", Output = "one\n\ttwo\u001b[2J" };

        CheckAnswer answer = said.ToAnswer(TimeSpan.Zero);

        Assert.Equal(("red .[31m..line.", "bell.", "one\n\ttwo.[2J"), (answer.Why, answer.Warning, answer.Output));
    }

    [Fact]
    public void What_is_too_long_is_cut_between_characters()
    {
        Verdict said = Verdict.Failed(new string('x', 201)) with { Warning = $"{new string('x', 198)}\U0001F600\U0001F600", Output = new string('x', 5000) };

        CheckAnswer answer = said.ToAnswer(TimeSpan.Zero);

        Assert.Equal($"{new string('x', 199)}…", answer.Why);
        Assert.Equal($"{new string('x', 198)}…", answer.Warning);
        Assert.Equal(4096, answer.Output!.Length);
    }

    [Fact]
    public void What_is_short_and_harmless_stays_the_same_text()
    {
        string why = new('ä', 200);

        Assert.Same(why, Verdict.Failed(why).ToAnswer(TimeSpan.Zero).Why);
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, false, "this director has no file descriptor left")]
    [InlineData(SocketError.AddressNotAvailable, false, "this director has no free port left")]
    [InlineData(SocketError.NoBufferSpaceAvailable, false, "this director has no memory left for a connection")]
    [InlineData(SocketError.AccessDenied, false, "this machine does not let this director ask: a capability is missing, or a firewall here forbids it")]
    [InlineData(SocketError.Shutdown, true, "connection reset")]
    [InlineData(SocketError.TimedOut, true, "Connection timed out")]
    public void What_this_director_has_run_out_of_is_not_the_real_server_s_fault(SocketError error, bool wasAsked, string why)
    {
        Verdict verdict = SocketVerdict.On((Errno)new SocketException((int)error).NativeErrorCode);

        Assert.Equal((wasAsked, why), (verdict.WasAsked, verdict.Why));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void Only_short_answers_are_kept_for_the_next_time(int length, bool isKept)
    {
        AnswerCache cache = new();
        Verdict said = Verdict.Failed(new string('x', length));

        Assert.Equal(isKept, ReferenceEquals(cache.Of(said, TimeSpan.Zero), cache.Of(said, TimeSpan.Zero)));
    }
}
