using System.Diagnostics;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>A client that somebody else wrote.</summary>
public sealed class CurlTests
{
    [Fact]
    public async Task Gets_over_http_1_1_and_1_0_and_keeps_its_connection()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        await using Director director = Director.Start(Director.Http(web.Address));

        Assert.Equal("hellohello", await CurlAsync("", $"http://{director.Address}/a", $"http://{director.Address}/b"));
        Assert.Equal("hellohello", await CurlAsync("", "--http1.0", $"http://{director.Address}/a", $"http://{director.Address}/b"));

        Assert.Equal(3, director.VirtualServer.Counters[0].Connections);
        Assert.Equal(1, web.Accepted);
    }

    [Fact]
    public async Task Uploads_from_a_pipe_in_chunks()
    {
        string body = new('u', 300_000);
        await using FakeRealServer web = Webs.Mirror();
        await using Director director = Director.Start(Director.Http(web.Address));

        Webs.AssertSame(body, await CurlAsync(body, "-T", "-", $"http://{director.Address}/"));

        Assert.Contains("Transfer-Encoding: chunked", web.Requests.Single());
    }

    [Fact]
    public async Task Waits_for_100_continue_and_hears_it()
    {
        string body = new('u', 100_000);
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            string head = (await client.ReadHeadAsync())!;
            await client.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
            string got = await Webs.ReadBodyAsync(client, head);
            await client.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {got.Length}\r\n\r\n{got}");
            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Http(web.Address));

        string answer = await CurlAsync(body, "--expect100-timeout", "60", "-H", "Expect: 100-continue", "--data-binary", "@-", $"http://{director.Address}/");

        Webs.AssertSame(body, answer);
        Assert.Contains("Expect: 100-continue", web.Requests.Single());
    }

    [Fact]
    public async Task Reads_the_head_of_an_answer_to_head()
    {
        await using FakeRealServer web = FakeRealServer.AnsweringKeepAlive("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
        await using Director director = Director.Start(Director.Http(web.Address));

        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", await CurlAsync("", "--head", $"http://{director.Address}/"));
    }

    [Fact]
    public async Task Says_that_the_transfer_is_partial_when_the_real_server_breaks_off()
    {
        await using FakeRealServer web = FakeRealServer.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        await using Director director = Director.Start(Director.Http(web.Address));

        using Process curl = Start("--http1.0", $"http://{director.Address}/");
        await curl.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));

        Assert.NotEqual(0, curl.ExitCode);
    }

    /// <summary>With a jar, as browsers have one: what the director wrote is what comes back.</summary>
    [Fact]
    public async Task Keeps_the_directors_cookie_in_its_jar_and_returns_with_it()
    {
        await using FakeRealServer alpha = Webs.Named("alpha ");
        await using FakeRealServer beta = Webs.Named("beta ");
        await using Director director = Director.Start(Director.Http(alpha.Address, beta.Address) with { Persistence = new CookiePersistence { Timeout = TimeSpan.FromHours(1) }, Scheduler = SchedulerKind.RoundRobin });
        string[] jars = [Path.GetTempFileName(), Path.GetTempFileName()];
        string site = $"http://{director.Address}/";

        string[] met = new string[8];
        for (int i = 0; i < met.Length; i++)
            met[i] = await CurlAsync("", "-c", jars[i % 2], "-b", jars[i % 2], site, $"{site}deep/in/it");

        Assert.Equal(Enumerable.Repeat<string[]>(["alpha alpha ", "beta beta "], 4).SelectMany(m => m), met);
        Assert.Contains("#HttpOnly_", await File.ReadAllTextAsync(jars[0]), StringComparison.Ordinal);
        Array.ForEach(jars, File.Delete);
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("curl", ["--silent", "--show-error", "--max-time", "15", "--noproxy", "*", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<string> CurlAsync(string input, params string[] arguments)
    {
        using Process curl = Start(arguments);
        Task<string> output = curl.StandardOutput.ReadToEndAsync();
        Task<string> complaints = curl.StandardError.ReadToEndAsync();
        await curl.StandardInput.WriteAsync(input);
        curl.StandardInput.Close();
        await curl.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("", await complaints);
        Assert.Equal(0, curl.ExitCode);
        return await output;
    }
}
