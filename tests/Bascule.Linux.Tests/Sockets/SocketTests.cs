using System.Net;
using Bascule.Linux.Epoll;
using Bascule.Linux.Sockets;

namespace Bascule.Linux.Tests.Sockets;

public sealed class SocketTests : IDisposable
{
    private readonly TcpListenSocket _listener = TcpListenSocket.Open(new(IPAddress.Loopback, 0), 16, shared: false, anywhere: false, out _)!;
    private readonly List<IDisposable> _open = [];

    public void Dispose()
    {
        foreach (IDisposable open in _open)
            open.Dispose();
        _listener.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1:8080")]
    [InlineData("255.254.253.252:65535")]
    [InlineData("[::1]:1")]
    [InlineData("[2001:db8::1:2]:443")]
    [InlineData("[fe80::1%3]:53")]
    public void An_address_survives_the_way_to_the_kernels_form_and_back(string address)
    {
        IPEndPoint endPoint = IPEndPoint.Parse(address);

        NativeAddress native = NativeAddress.From(endPoint);

        Assert.Equal(endPoint, native.ToEndPoint());
        Assert.Equal(endPoint.Port, native.Port);
        Assert.Equal(endPoint.Address.GetAddressBytes(), native.AddressBytes.ToArray());
    }

    [Fact]
    public void Bytes_and_the_end_arrive_in_order()
    {
        (TcpSocket client, TcpSocket server) = Connect();
        byte[] into = new byte[16];

        Assert.True(server.Receive(into).WouldBlock);
        Assert.Equal(6, client.Send("ab"u8, "c"u8, "def"u8).Count);
        client.ShutdownSend();

        WaitFor(server, Readiness.ReadHangUp);
        Assert.Equal("abcdef"u8.ToArray(), into[..server.Receive(into).Count]);
        Assert.True(server.Receive(into).IsEnd);
    }

    [Fact]
    public void The_accepted_socket_knows_where_the_client_comes_from()
    {
        TcpSocket client = TcpSocket.BeginConnect(NativeAddress.From(_listener.LocalAddress), source: null, out _)!;
        _open.Add(client);

        _open.Add(Accept(out NativeAddress from));

        Assert.Equal(IPAddress.Loopback, from.ToEndPoint().Address);
        Assert.Null(_listener.Accept(out _, out Errno error));
        Assert.Equal(Errno.WouldBlock, error);
    }

    [Fact]
    public void A_reset_is_an_error_and_not_an_end()
    {
        (TcpSocket client, TcpSocket server) = Connect();

        client.ResetOnClose();
        client.Dispose();

        WaitFor(server, Readiness.Error);
        IoResult result = server.Receive(new byte[1]);
        Assert.Equal((true, false, Errno.ConnectionReset), (result.IsError, result.IsEnd, result.Error));
    }

    [Fact]
    public void A_refused_connect_says_so_when_it_is_over()
    {
        IPEndPoint nobody = _listener.LocalAddress;
        _listener.Dispose();

        TcpSocket socket = TcpSocket.BeginConnect(NativeAddress.From(nobody), source: null, out Errno error)!;
        _open.Add(socket);

        Assert.Equal(Errno.None, error);
        WaitFor(socket, Readiness.Error);
        Assert.Equal(Errno.ConnectionRefused, socket.TakeError());
        Assert.Equal(Errno.None, socket.TakeError());
    }

    [Fact]
    public void An_address_is_shared_only_by_those_who_all_want_to()
    {
        using TcpListenSocket first = TcpListenSocket.Open(new(IPAddress.Loopback, 0), 16, shared: true, anywhere: false, out _)!;

        using TcpListenSocket? second = TcpListenSocket.Open(first.LocalAddress, 16, shared: true, anywhere: false, out _);
        using TcpListenSocket? alone = TcpListenSocket.Open(first.LocalAddress, 16, shared: false, anywhere: false, out Errno error);

        Assert.NotNull(second);
        Assert.Null(alone);
        Assert.Equal(Errno.AddressInUse, error);
    }

    [Fact]
    public void A_pipe_carries_bytes_between_sockets_and_knows_what_it_holds()
    {
        (TcpSocket sender, TcpSocket from) = Connect();
        (TcpSocket to, TcpSocket receiver) = Connect();
        using SplicePipe pipe = SplicePipe.Open(64 * 1024)!;
        byte[] into = new byte[16];

        Assert.True(pipe.Fill(from, 1000).WouldBlock);
        sender.Send("hello"u8);
        WaitFor(from, Readiness.Read);
        Assert.Equal(3, pipe.Fill(from, 3).Count);
        Assert.Equal(3, pipe.Held);
        Assert.Equal(3, pipe.Drain(to).Count);
        Assert.Equal(0, pipe.Held);

        WaitFor(receiver, Readiness.Read);
        Assert.Equal("hel"u8.ToArray(), into[..receiver.Receive(into).Count]);
        Assert.Equal("lo"u8.ToArray(), into[..from.Receive(into).Count]);
        sender.ShutdownSend();
        WaitFor(from, Readiness.ReadHangUp);
        Assert.True(pipe.Fill(from, 1000).IsEnd);
    }

    [Fact]
    public void Urgent_bytes_are_announced_and_stay_in_their_place()
    {
        using System.Net.Sockets.Socket client = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        client.Connect(_listener.LocalAddress);
        TcpSocket server = Accept(out _);
        _open.Add(server);
        server.KeepUrgentInline();
        byte[] into = new byte[16];

        client.Send("ab"u8);
        client.Send("!"u8, System.Net.Sockets.SocketFlags.OutOfBand);
        client.Send("cd"u8);
        client.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        WaitFor(server, Readiness.Urgent | Readiness.ReadHangUp);
        Assert.Equal("ab"u8.ToArray(), into[..server.Receive(into).Count]); // a short read, and yet there is more
        Assert.Equal("!cd"u8.ToArray(), into[..server.Receive(into).Count]);
    }

    [Fact]
    public void A_change_is_told_once()
    {
        (TcpSocket client, TcpSocket server) = Connect();
        using EpollSet epoll = new(8);
        epoll.AddEdgeTriggered(server.Descriptor, 0xFEDC_BA98_7654_3210);
        Assert.Equal(1, epoll.Wait(0)); // there is room to write
        Assert.Equal(Readiness.Write, epoll.Flags(0));
        Assert.Equal(0, epoll.Wait(0));

        client.Send("x"u8);

        Assert.Equal(1, epoll.Wait(10_000));
        Assert.Equal(0xFEDC_BA98_7654_3210, epoll.Token(0));
        Assert.Equal(Readiness.Read | Readiness.Write, epoll.Flags(0));
        Assert.Equal(0, epoll.Wait(0));
    }

    [Fact]
    public void A_signal_wakes_until_it_is_cleared()
    {
        using EpollSet epoll = new(8);
        using WakeUp wakeUp = new();
        epoll.AddReadable(wakeUp.Descriptor, 1);

        wakeUp.Signal();
        wakeUp.Signal();

        Assert.Equal(1, epoll.Wait(0));
        Assert.Equal(1, epoll.Wait(0));
        wakeUp.Clear();
        Assert.Equal(0, epoll.Wait(0));
    }

    [Fact]
    public void One_socket_makes_one_connection_after_the_other()
    {
        using ReusableTcpSocket client = new();
        NativeAddress address = NativeAddress.From(_listener.LocalAddress);
        byte[] into = new byte[16];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Errno.None, client.Connect(address, mark: 0)); // closes the one before
            TcpSocket server = Accept(out _);
            _open.Add(server);

            Assert.Equal(2, client.Send("hi"u8).Count);
            WaitFor(server, Readiness.Read);
            Assert.Equal("hi"u8.ToArray(), into[..server.Receive(into).Count]);
            server.Send("well"u8);
            WaitFor(client.Descriptor, Readiness.Read);
            Assert.Equal("well"u8.ToArray(), into[..client.Receive(into).Count]);
            client.Close();
            Assert.Equal(-1, client.Descriptor);
            WaitFor(server, Readiness.ReadHangUp);
            Assert.True(server.Receive(into).IsEnd);
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_reusable_socket_says_who_refused_it_and_goes_on(string address)
    {
        using System.Net.Sockets.Socket nobody = new(IPAddress.Parse(address).AddressFamily, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Parse(address), 0)); // bound, and not listening
        using ReusableTcpSocket client = new();

        Assert.Equal(Errno.None, client.Connect(NativeAddress.From((IPEndPoint)nobody.LocalEndPoint!), mark: 0));
        WaitFor(client.Descriptor, Readiness.Error);

        Assert.Equal(Errno.ConnectionRefused, client.TakeError());
        Assert.Equal(Errno.None, client.Connect(NativeAddress.From(_listener.LocalAddress), mark: 0));
    }

    private (TcpSocket Client, TcpSocket Server) Connect()
    {
        TcpSocket client = TcpSocket.BeginConnect(NativeAddress.From(_listener.LocalAddress), source: null, out _)!;
        TcpSocket server = Accept(out _);
        _open.AddRange([client, server]);
        return (client, server);
    }

    private TcpSocket Accept(out NativeAddress from)
    {
        using EpollSet epoll = new(1);
        epoll.AddReadable(_listener.Descriptor, 0);
        Assert.Equal(1, epoll.Wait(10_000));
        TcpSocket? accepted = _listener.Accept(out from, out Errno error);
        Assert.Equal(Errno.None, error);
        return accepted!;
    }

    private static void WaitFor(TcpSocket socket, Readiness wanted) => WaitFor(socket.Descriptor, wanted);

    private static void WaitFor(int descriptor, Readiness wanted)
    {
        using EpollSet epoll = new(1);
        epoll.AddEdgeTriggered(descriptor, 0);
        Readiness seen = Readiness.None;
        while ((seen & wanted) != wanted)
        {
            Assert.Equal(1, epoll.Wait(10_000));
            seen |= epoll.Flags(0);
        }
    }
}
