using System.Net.Sockets;
using System.Text;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Http1;

/// <summary>The promise that lets a worker run for weeks without the garbage collector: a request allocates nothing.</summary>
public sealed class NoAllocationTests
{
    private const string StatusLine = "HTTP/1.1 200 OK\r\n";
    private const int Clients = 8;
    private const int WarmUp = 250;
    private const int Measured = 250;

    /// <summary>
    /// A pool still grows by a piece when more happens at once than ever before. That ends; what a request allocates shows in every round.
    /// </summary>
    private const int MostRounds = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

#if DEBUG
    private const string? NotInDebug = "Debug builds make the state machines of async methods classes, which are allocated: run it with -c Release";
#else
    private const string? NotInDebug = null;
#endif

    [Theory(Skip = NotInDebug)]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\n\r\n", "Content-Length: 5\r\n\r\nhello")]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\nhello", "Content-Length: 5\r\n\r\nhello")]
    [InlineData("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Content-Length: 5\r\n\r\nhello")]
    [InlineData("GET / HTTP/1.1\r\nHost: s\r\n\r\n", null)]
    public async Task A_request_allocates_nothing_on_its_worker(string request, string? framingAndBody)
    {
        framingAndBody ??= "Content-Length: 200000\r\n\r\n" + new string('x', 200_000);

        await AssertNothingIsAllocatedAsync(persistence: null, framingAndBody, _ => request, added: 0);
    }

    [Theory(Skip = NotInDebug)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_with_the_directors_cookie_and_one_without_allocate_nothing(bool isGiven)
    {
        CookiePersistence persistence = new() { Timeout = TimeSpan.FromHours(1) };
        byte[] line = new byte["Set-Cookie: BASCULE=; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax\r\n".Length + 40];

        await AssertNothingIsAllocatedAsync(persistence, "Content-Length: 5\r\n\r\nhello", director =>
        {
            director.VirtualServer.Cookies!.WriteLine(0, line);
            string cookie = Encoding.ASCII.GetString(line)["Set-Cookie: ".Length..].Split(';')[0];
            return $"GET / HTTP/1.1\r\nHost: s\r\nCookie: a=1; b=2\r\n{(isGiven ? $"Cookie: {cookie}\r\n" : "")}\r\n";
        }, isGiven ? 0 : line.Length);
    }

    [Theory(Skip = NotInDebug)]
    [InlineData("Cookie: JSESSIONID=1A2B\r\n")]
    [InlineData("")]
    public async Task A_request_of_a_known_session_and_one_of_none_allocate_nothing(string fields)
    {
        LearnPersistence persistence = new() { Name = "JSESSIONID", Timeout = TimeSpan.FromHours(1) };

        await AssertNothingIsAllocatedAsync(
            persistence, "Set-Cookie: JSESSIONID=1A2B\r\nContent-Length: 5\r\n\r\nhello", _ => $"GET /;x=y?z HTTP/1.1\r\nHost: s\r\n{fields}\r\n", added: 0);
    }

    /// <param name="request">Of a director that has started.</param>
    /// <param name="added">Bytes that the director adds to an answer.</param>
    private static async Task AssertNothingIsAllocatedAsync(Persistence? persistence, string framingAndBody, Func<Director, string> request, int added)
    {
        await using FakeRealServer web = FakeRealServer.Start(async client =>
        {
            byte[] answer = Encoding.Latin1.GetBytes(StatusLine + framingAndBody);
            while (await client.ReadHeadAsync() is { } head)
            {
                await Webs.ReadBodyAsync(client, head);
                await client.WriteAsync(answer);
            }
        });
        await using Director director = Director.Start(Director.Http(web.Address) with { Persistence = persistence });
        string asked = request(director);
        using Barrier barrier = new(Clients + 1);
        bool isEnough = false;
        int answerLength = StatusLine.Length + framingAndBody.Length + added;

        Task[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Factory.StartNew(
            () => Ask(director, asked, answerLength, barrier, () => Volatile.Read(ref isEnough)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Assert.True(barrier.SignalAndWait(Patience)); // warm
        long allocated = -1;
        int rounds = 0;
        while (allocated != 0 && rounds < MostRounds)
        {
            long before = await AllocatedAsync(director);
            Assert.True(barrier.SignalAndWait(Patience)); // go
            Assert.True(barrier.SignalAndWait(Patience)); // done
            allocated = await AllocatedAsync(director) - before;
            rounds++;
        }

        Volatile.Write(ref isEnough, true);
        Assert.True(barrier.SignalAndWait(Patience));
        await Task.WhenAll(clients);
        Assert.Equal(0, allocated);
        Assert.Equal(Clients * (WarmUp + rounds * Measured), await director.CountAsync(ForwardOutcome.Completed));
    }

    // Not by OnWorkerAsync, whose answer allocates.
    private static async Task<long> AllocatedAsync(Director director)
    {
        long allocated = -1;
        director.Post(() => Volatile.Write(ref allocated, GC.GetAllocatedBytesForCurrentThread()));
        await Eventually.HoldsAsync(() => Volatile.Read(ref allocated) >= 0);
        return allocated;
    }

    private static void Ask(Director director, string request, int answerLength, Barrier barrier, Func<bool> isEnough)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        socket.Connect(director.Address);
        byte[] bytes = Encoding.Latin1.GetBytes(request);
        byte[] buffer = new byte[answerLength];
        Ask(socket, bytes, buffer, WarmUp);
        barrier.SignalAndWait(Patience); // warm
        while (true)
        {
            barrier.SignalAndWait(Patience); // go
            if (isEnough())
                return;
            Ask(socket, bytes, buffer, Measured);
            barrier.SignalAndWait(Patience); // done
        }
    }

    private static void Ask(Socket socket, byte[] request, byte[] answer, int times)
    {
        for (int i = 0; i < times; i++)
        {
            socket.Send(request);
            for (int received = 0; received < answer.Length;)
                received += socket.Receive(answer, received, answer.Length - received, SocketFlags.None);
        }
    }
}
