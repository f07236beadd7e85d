using System.Text;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>Kamailio, which is well, and knows nobody of that name.</summary>
public sealed class Kamailio : RealProgram
{
    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("kamailio") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        string modules = Directory.GetDirectories("/usr/lib").Select(machine => $"{machine}/kamailio/modules/").First(Directory.Exists);
        string configuration = Write("kamailio.cfg", $$"""
            #!KAMAILIO
            debug=0
            log_stderror=yes
            children=1
            tcp_children=1
            listen=udp:127.0.0.1:{{Port}}
            listen=tcp:127.0.0.1:{{Port}}
            mpath="{{modules}}"
            loadmodule "sl.so"
            loadmodule "pv.so"
            request_route {
              if ($rU == "nobody") {
                sl_send_reply("404", "Not here");
              } else {
                sl_send_reply("200", "Alive");
              }
            }

            """);
        return Task.FromResult<string[]>([Installed.Find("kamailio")!, "-DD", "-E", "-f", configuration, "-Y", Folder, "-m", "8", "-M", "4"]);
    }
}

public sealed class SipProbeTests(Kamailio kamailio) : IClassFixture<Kamailio>
{
    private static readonly SipCheck Udp = new() { Uri = null, Transport = Transport.Udp };
    private static readonly SipCheck Tcp = Udp with { Transport = Transport.Tcp };

    [RealProgramFact("kamailio")]
    public async Task Passes_when_it_answers_OPTIONS()
    {
        Assert.Equal("up: 200 Alive", await Ask.WhyAsync(Udp, kamailio.Address));
        Assert.Equal("up: 200 Alive", await Ask.WhyAsync(Tcp, kamailio.Address));
    }

    [RealProgramFact("kamailio")]
    public async Task Another_answer_than_2xx_fails()
    {
        Assert.Equal("down: answered \"404 Not here\"", await Ask.WhyAsync(Udp with { Uri = "sip:nobody@example.org" }, kamailio.Address));
        Assert.Equal("down: answered \"404 Not here\"", await Ask.WhyAsync(Tcp with { Uri = "sip:nobody@example.org" }, kamailio.Address));
    }

    [Fact]
    public async Task A_provisional_answer_and_one_to_somebody_else_are_passed_over()
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(Udp, server.Address);
        string callId = Encoding.UTF8.GetString(await server.HearAsync()).Split("\r\n").Single(line => line.StartsWith("Call-ID: ", StringComparison.Ordinal))[9..];

        foreach (string answer in (string[])[$"SIP/2.0 100 Trying\r\nCall-ID: {callId}\r\n\r\n", "SIP/2.0 500 No\r\nCall-ID: other\r\n\r\n", $"SIP/2.0 204 Well\r\ni : {callId}\r\n\r\n"])
            await server.SayAsync(Encoding.UTF8.GetBytes(answer));

        Assert.Equal("up: 204 Well", await asking);
    }

    [Fact]
    public async Task Another_protocol_fails_in_a_datagram_too()
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(Udp, server.Address);
        await server.HearAsync();

        await server.SayAsync([.. "hello\0"u8]);

        Assert.Equal("down: it does not speak SIP: \"hello.\"", await asking);
    }

    [Theory]
    [InlineData("220 mail.example.org ESMTP\r\n", "it does not speak SIP: \"220 mail.example.org ESMTP\"")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak SIP: \"HTTP/1.1 400 Bad Request\"")]
    [InlineData("SIP/2.0 \r\n\r\n", "it does not speak SIP: \"SIP/2.0\"")]
    [InlineData("SIP/2.0 200 OK\r\n", "closed without an answer")]
    public async Task Another_protocol_fails(string answer, string why)
    {
        await using FakeRealServer server = FakeRealServer.Start(async client =>
        {
            await client.ReadHeadAsync();
            await client.WriteAsync(answer);
        });

        Assert.Equal($"down: {why}", await Ask.WhyAsync(Tcp, server.Address));
    }

    [Fact]
    public async Task Hanging_is_no_answer()
    {
        await using FakeRealServer silent = FakeRealServer.Stalling();

        await Ask.InVainAsync(Tcp, silent.Address);
    }
}
