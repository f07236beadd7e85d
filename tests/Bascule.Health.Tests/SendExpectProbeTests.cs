using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class SendExpectProbeTests
{
    [Fact]
    public async Task Passes_when_every_step_is_done()
    {
        await using FakeRealServer cache = FakeRealServer.Start(async client =>
        {
            await client.WriteAsync("hello\r\n220 ");
            await client.WriteAsync("ready\r\n");
            await ReadAsync(client, "PING\r\n");
            await client.WriteAsync("+PO");
            await client.WriteAsync("NG\r\n");
        });

        Assert.Equal("up: 4 steps done", await AnswerAsync(cache, new ExpectMatchStep("(?m)^220 .*$"), Send("PING\r\n"), Expect("+PONG"), Expect("\r\n")));
    }

    [Fact]
    public async Task What_one_step_has_taken_is_not_there_for_the_next()
    {
        await using FakeRealServer once = FakeRealServer.Start(client => client.WriteAsync("OK"));

        Assert.Equal("down: step 3: expected \"OK\", closed without an answer", await AnswerAsync(once, Expect("O"), Expect("K"), Expect("OK")));
    }

    [Fact]
    public async Task Says_at_which_step_something_else_was_said()
    {
        await using FakeRealServer cache = FakeRealServer.Start(client => client.WriteAsync("-ERR no\u0001 way\r\n"));

        Assert.Equal("down: step 1: expected \"+PONG\", closed after \"-ERR no. way\"", await AnswerAsync(cache, Expect("+PONG")));
    }

    [Fact]
    public async Task Reads_no_more_than_64_KiB_for_a_step()
    {
        await using FakeRealServer endless = FakeRealServer.Repeating(new string('x', 1024), 100);

        Assert.Equal("down: step 1: expected what matches \"y\", it says more than 64 KiB, and not what is expected", await AnswerAsync(endless, new ExpectMatchStep("y")));
    }

    [Fact]
    public async Task Sees_what_begins_late_in_a_long_answer()
    {
        await using FakeRealServer wordy = FakeRealServer.Start(client => client.WriteAsync(new string('x', 60_000) + "ok"));

        Assert.Equal("up: 1 step done", await AnswerAsync(wordy, Expect("ok")));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer web = FakeRealServer.Stalling();

        await Ask.InVainAsync(new SendExpectCheck { Steps = [Expect("+PONG")] }, web.Address);
    }

    private static SendStep Send(string text) => new([.. Encoding.UTF8.GetBytes(text)]);

    private static ExpectBytesStep Expect(string text) => new([.. Encoding.UTF8.GetBytes(text)]);

    private static Task<string> AnswerAsync(FakeRealServer server, params TalkStep[] steps) =>
        Ask.WhyAsync(new SendExpectCheck { Steps = [.. steps] }, server.Address);

    private static async Task ReadAsync(FakeConnection client, string text) =>
        Assert.Equal(text, Encoding.UTF8.GetString(await client.ReadExactlyAsync(text.Length)));
}
