using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Tcp;

/// <summary>What becomes of the bytes, the ends and the breaks of a TCP connection.</summary>
public sealed class TcpConnectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Relays_bytes_both_ways_and_both_ends()
    {
        byte[] sent = new byte[3_000_000];
        new Random(1).NextBytes(sent);
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));

        using TcpClient client = await director.ConnectAsync();
        Task sending = Task.Run(async () =>
        {
            await client.GetStream().WriteAsync(sent);
            client.Client.Shutdown(SocketShutdown.Send);
        });
        using MemoryStream received = new();
        await client.GetStream().CopyToAsync(received).WaitAsync(Patience);
        await sending;

        Assert.Equal(sent, received.ToArray());
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
        RealServerCounters counted = director.RealServer(0).Counters[0];
        Assert.Equal((sent.Length, sent.Length, 1, 1, 0), (counted.BytesIn, counted.BytesOut, counted.Connections, counted.Requests, counted.Failures));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Bulk_both_ways_at_once_arrives_byte_by_byte(int seed)
    {
        const long Size = 50_000_000;
        long atServer = 0;
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            Task sending = SendAllAsync(client.Socket, new(seed + 10), Size);
            Interlocked.Add(ref atServer, await new Pattern(seed).ReceiveToEndAsync(client.Socket));
            await sending;
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        using TcpClient client = await director.ConnectAsync();
        Task sending = SendAllAsync(client.Client, new(seed), Size);
        long atClient = await new Pattern(seed + 10).ReceiveToEndAsync(client.Client).WaitAsync(Patience);
        await sending.WaitAsync(Patience);

        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1 && real.Open == 0);
        Assert.Equal((Size, Size), (atClient, Interlocked.Read(ref atServer)));
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task Small_messages_go_back_and_forth()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));
        using TcpClient client = await director.ConnectAsync();

        for (int i = 0; i < 2000; i++)
            await PingAsync(client, (byte)i);

        await director.IsAtRestAsync(activeConnections: 1); // it holds no buffer between two messages
    }

    [Fact]
    public async Task Messages_of_any_size_may_follow_bulk_and_bulk_messages()
    {
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(echo.Address));
        using TcpClient client = await director.ConnectAsync();
        Pattern pattern = new(3);
        long at = 0;

        foreach (int size in (int[])[1, 500_000, 1, 1, 1, 1, 1, 1, 32768, 32768, 65536, 1, 32769, 32767, 2_000_000, 100, 262144, 3])
        {
            Task sending = SendExactlyAsync(client.Client, pattern, at, size);
            await ReceiveExactlyAsync(client.Client, pattern, at, size).WaitAsync(Patience);
            await sending;
            at += size;
        }
    }

    [Fact]
    public async Task The_real_server_may_speak_first()
    {
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await client.WriteAsync("220 ready\r\n");
            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());

        Assert.Equal("220 ready", await reader.ReadLineAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task After_the_client_has_finished_the_real_server_may_go_on()
    {
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await client.ReadToEndAsync();
            await client.WriteAsync("all of it");
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        Assert.Equal("all of it", await AskAndFinishAsync(director, "question"));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
    }

    [Fact]
    public async Task After_the_real_server_has_finished_the_client_may_go_on()
    {
        TaskCompletionSource<string> heard = new();
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await client.WriteAsync("hello");
            client.CloseSendSide();
            heard.SetResult(System.Text.Encoding.Latin1.GetString(await client.ReadExactlyAsync(8)));
            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());
        Assert.Equal("hello", await reader.ReadToEndAsync().WaitAsync(Patience));
        await client.Client.SendAsync("and more"u8.ToArray());
        client.Client.Shutdown(SocketShutdown.Send);

        Assert.Equal("and more", await heard.Task.WaitAsync(Patience));
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.Completed) == 1);
    }

    [Fact]
    public async Task Data_and_end_in_one_go_while_the_connection_is_being_made_are_not_lost()
    {
        using Filled filled = new();
        await using FakeRealServer real = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(filled.Address, real.Address) with { Timeouts = Director.Timeouts with { Connect = TimeSpan.FromMilliseconds(100) } });

        for (int i = 0; i < 3; i++)
            Assert.Equal("question", await AskAndFinishAsync(director, "question"));
    }

    [Fact]
    public async Task Urgent_data_neither_stops_nor_loses_what_follows()
    {
        using Filled filled = new();
        await using FakeRealServer real = FakeRealServer.Echoing();
        await using Director director = Director.Start(Director.Tcp(filled.Address, real.Address) with { Timeouts = Director.Timeouts with { Connect = TimeSpan.FromMilliseconds(200) } });

        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());
        client.Client.Send("before"u8);
        client.Client.Send("!"u8, SocketFlags.OutOfBand);
        client.Client.Send("after"u8);
        client.Client.Shutdown(SocketShutdown.Send);

        Assert.Equal("before!after", await reader.ReadToEndAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task Urgent_data_in_the_middle_of_bulk_does_not_stop_it()
    {
        const int Size = 8_000_000;
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            byte[] buffer = new byte[65536];
            long sum = 0;
            while (await client.ReadAsync(buffer) is > 0 and int count)
                sum += count;
            await client.WriteAsync(sum.ToString(System.Globalization.CultureInfo.InvariantCulture));
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());
        Task sending = Task.Run(() =>
        {
            byte[] block = new byte[Size / 10];
            for (int i = 0; i < 10; i++)
            {
                client.Client.Send(block);
                client.Client.Send("!"u8, SocketFlags.OutOfBand);
            }

            client.Client.Shutdown(SocketShutdown.Send);
        });

        Assert.Equal($"{Size + 10}", await reader.ReadToEndAsync().WaitAsync(Patience));
        await sending;
    }

    [Fact]
    public async Task A_reset_by_the_real_server_reaches_the_client_as_a_reset()
    {
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await client.ReadExactlyAsync(1);
            client.Reset();
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        using TcpClient client = await director.ConnectAsync();
        await client.Client.SendAsync("x"u8.ToArray());

        await AssertResetAsync(client.Client);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.RealServerBrokeOff) == 1);
        await director.IsAtRestAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reset_by_the_client_reaches_the_real_server_as_a_reset(bool afterFinishing)
    {
        TaskCompletionSource<SocketError> seen = new();
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await client.ReadExactlyAsync(1);
            await client.WriteAsync("y");
            SocketException broken = await Assert.ThrowsAsync<SocketException>(async () =>
            {
                await client.ReadToEndAsync();
                while (true) // it has finished: only sending tells
                {
                    await client.WriteAsync("z");
                    await Task.Delay(1);
                }
            });
            seen.SetResult(broken.SocketErrorCode);
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));

        TcpClient client = await director.ConnectAsync();
        await client.Client.SendAsync("x"u8.ToArray());
        await client.Client.ReceiveAsync(new byte[1]);
        if (afterFinishing)
            client.Client.Shutdown(SocketShutdown.Send);
        client.LingerState = new(enable: true, seconds: 0);
        client.Dispose();

        Assert.Contains(await seen.Task.WaitAsync(Patience), (SocketError[])[SocketError.ConnectionReset, SocketError.Shutdown]);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientLeft) == 1);
        await director.IsAtRestAsync();
    }

    [Fact]
    public async Task A_reader_that_stops_stops_the_sender_and_gets_every_byte_when_it_goes_on()
    {
        const long Size = 60_000_000;
        using SemaphoreSlim goOn = new(0);
        TaskCompletionSource<long> received = new();
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            await goOn.WaitAsync(Patience);
            received.SetResult(await new Pattern(5).ReceiveToEndAsync(client.Socket));
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));
        using TcpClient client = await director.ConnectAsync();
        Pattern pattern = new(5);

        long sent = await Task.Run(() => SendUntilBlocked(client.Client, pattern, Size));
        int rented = await director.OnWorkerAsync(w => w.Loop.Buffers.Rented);
        goOn.Release();
        await SendExactlyAsync(client.Client, pattern, sent, Size - sent).WaitAsync(Patience);
        client.Client.Shutdown(SocketShutdown.Send);

        Assert.InRange(sent, 1, Size - 1);
        Assert.InRange(rented, 0, 1);
        Assert.Equal(Size, await received.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Bulk_goes_through_a_pipe_and_messages_do_not()
    {
        using SemaphoreSlim goOn = new(0);
        await using FakeRealServer real = FakeRealServer.Start(async client =>
        {
            for (int i = 0; i < 10; i++)
                await client.WriteAsync(await client.ReadExactlyAsync(1));
            await goOn.WaitAsync(Patience);
            await client.ReadToEndAsync();
        });
        await using Director director = Director.Start(Director.Tcp(real.Address));
        using TcpClient client = await director.ConnectAsync();

        for (byte i = 0; i < 10; i++)
            await PingAsync(client, i);
        int withMessages = await director.OnWorkerAsync(w => w.Loop.RentedPipes);
        Task bulk = Task.Run(() => client.Client.Send(new byte[60_000_000])); // it cannot be taken before the real server goes on
        await UntilPipesAsync(director, 1);
        goOn.Release();
        await bulk.WaitAsync(Patience);

        Assert.Equal(0, withMessages);
        await UntilPipesAsync(director, 0);
        await director.IsAtRestAsync(activeConnections: 1);
    }

    [Fact]
    public async Task A_silent_connection_is_cut_after_the_idle_time_and_one_that_speaks_is_not()
    {
        ManualClock clock = new();
        await using FakeRealServer echo = FakeRealServer.Echoing();
        await using Director director = Director.StartAt(clock, Director.Tcp(echo.Address)); // idle: one minute
        using TcpClient talker = await director.ConnectAsync();
        using TcpClient silent = await director.ConnectAsync();
        await PingAsync(talker, 1);
        await PingAsync(silent, 1);

        for (int i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(40));
            await director.NoticeTimeAsync();
            if (i == 0)
                await PingAsync(talker, 2);
        }

        await AssertResetAsync(silent.Client);
        await PingAsync(talker, 3);
        await Eventually.HoldsAsync(() => director.Count(ForwardOutcome.ClientTimedOut) == 1);
    }

    [IPv6Fact]
    public async Task Relays_over_ipv6_on_both_sides()
    {
        await using FakeRealServer echo = FakeRealServer.Start(FakeEchoAsync, IPAddress.IPv6Loopback);
        await using Director director = Director.Start(Director.Tcp(echo.Address) with { Address = new(IPAddress.IPv6Loopback, Director.FreeAddress().Port) });

        using TcpClient client = new(AddressFamily.InterNetworkV6);
        await client.ConnectAsync(director.Address);
        await PingAsync(client, 9);

        static async Task FakeEchoAsync(FakeConnection client)
        {
            while (true)
                await client.WriteAsync(await client.ReadExactlyAsync(1));
        }
    }

    private static async Task UntilPipesAsync(Director director, int wanted)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (await director.OnWorkerAsync(w => w.Loop.RentedPipes) != wanted)
            Assert.True(waited.Elapsed < Patience, $"the number of pipes in use is never {wanted}");
    }

    private static async Task SendAllAsync(Socket to, Pattern pattern, long count)
    {
        await pattern.SendAsync(to, count);
        to.Shutdown(SocketShutdown.Send);
    }

    private static async Task SendExactlyAsync(Socket to, Pattern pattern, long at, long count)
    {
        for (long end = at + count; at < end;)
            at += await to.SendAsync(pattern.At(at, (int)long.Min(100_000, end - at)));
    }

    private static async Task ReceiveExactlyAsync(Socket from, Pattern pattern, long at, int count)
    {
        byte[] buffer = new byte[count];
        for (int got = 0; got < count;)
        {
            int more = await from.ReceiveAsync(buffer.AsMemory(got));
            Assert.True(more > 0, "ended early");
            got += more;
        }

        for (int done = 0; done < count;)
        {
            ReadOnlyMemory<byte> expected = pattern.At(at + done, count - done);
            Assert.True(expected.Span.SequenceEqual(buffer.AsSpan(done, expected.Length)));
            done += expected.Length;
        }
    }

    // Blocked is when nothing has gone for a while: the kernel's buffers may still grow after the first "no".
    private static long SendUntilBlocked(Socket to, Pattern pattern, long most)
    {
        long sent = 0;
        while (sent < most && to.Poll(TimeSpan.FromMilliseconds(400), SelectMode.SelectWrite))
            sent += to.Send(pattern.At(sent, 4096).Span); // there is always room for so little when there is any
        return sent;
    }

    private static async Task<string> AskAndFinishAsync(Director director, string question)
    {
        using TcpClient client = await director.ConnectAsync();
        using StreamReader reader = new(client.GetStream());
        await client.Client.SendAsync(System.Text.Encoding.Latin1.GetBytes(question));
        client.Client.Shutdown(SocketShutdown.Send);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    private static async Task PingAsync(TcpClient client, byte value)
    {
        byte[] answer = new byte[1];
        await client.Client.SendAsync((byte[])[value]);
        Assert.Equal(1, await client.Client.ReceiveAsync(answer).WaitAsync(Patience));
        Assert.Equal(value, answer[0]);
    }

    private static async Task AssertResetAsync(Socket socket)
    {
        SocketException broken = await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        Assert.Equal(SocketError.ConnectionReset, broken.SocketErrorCode);
    }

    /// <summary>Skipped on a machine without IPv6.</summary>
    private sealed class IPv6FactAttribute : FactAttribute
    {
        public IPv6FactAttribute()
        {
            if (!Socket.OSSupportsIPv6 || !System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
                    .SelectMany(i => i.GetIPProperties().UnicastAddresses).Any(a => a.Address.Equals(IPAddress.IPv6Loopback)))
                Skip = "this machine has no ::1";
        }
    }
}
