using System.Net;
using System.Net.Sockets;
using Bascule.Linux.Sockets;

namespace Bascule.Linux.Tests.Sockets;

public sealed class UdpSocketTests : IDisposable
{
    private readonly Socket _other = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly DatagramBatch _batch = new();

    public UdpSocketTests() => _other.Bind(new IPEndPoint(IPAddress.Parse("127.94.0.1"), 0));

    private IPEndPoint Other => (IPEndPoint)_other.LocalEndPoint!;

    public void Dispose()
    {
        _other.Dispose();
        _batch.Dispose();
    }

    [Fact]
    public void One_call_takes_as_many_as_the_batch_holds_and_the_next_the_rest()
    {
        using UdpSocket socket = Connect();
        SendBack(socket, DatagramBatch.Capacity + 3);

        Assert.Equal(DatagramBatch.Capacity, socket.Receive(_batch).Count);
        Assert.Equal((DatagramBatch.Capacity, 31L * 32 / 2), (_batch.Count, _batch.Bytes));
        Assert.Equal(3, socket.Receive(_batch).Count);
        Assert.Equal((3, 32L + 33 + 34), (_batch.Count, _batch.Bytes));
        Assert.True(socket.Receive(_batch).WouldBlock);
        Assert.Equal(0, _batch.Count);
    }

    [Fact]
    public void What_was_received_goes_on_in_one_call_and_the_batch_is_good_for_the_next()
    {
        using UdpSocket socket = Connect();
        for (int round = 0; round < 3; round++)
        {
            SendBack(socket, 4);
            socket.Receive(_batch);

            Assert.Equal(new Sending(2, 3, 0, 0, Errno.None), socket.Send(_batch, 1, 2));
            byte[] room = new byte[100];
            Assert.Equal((1, 2), (_other.Receive(room), _other.Receive(room)));
        }
    }

    [Fact]
    public void A_socket_of_every_address_tells_where_a_datagram_went_and_answers_from_there()
    {
        using UdpListenSocket every = UdpListenSocket.Open(new(IPAddress.Any, 0), shared: false, anywhere: false, out _)!;
        IPEndPoint asked = new(IPAddress.Parse("127.94.0.77"), every.LocalAddress.Port);
        _other.SendTo("hello"u8, asked);
        Assert.Equal(1, every.Receive(_batch).Count);

        Assert.Equal((Other, asked.Address), (_batch.Source(0).ToEndPoint(), _batch.Destination(0).ToEndPoint().Address));
        Assert.Equal(1, every.Send(_batch, 0, 1, _batch.Source(0), _batch.Destination(0)).Sent);
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(5, _other.ReceiveFrom(new byte[100], ref from));
        Assert.Equal(asked, from);
    }

    [Fact]
    public void That_nobody_listens_is_told_once()
    {
        using UdpSocket socket = Connect();
        SendBack(socket, 1);
        socket.Receive(_batch);
        _other.Dispose();

        Assert.Equal(Errno.None, socket.Send(_batch, 0, 1).Error); // over loopback the answer is there when the call returns
        Assert.Equal(Errno.ConnectionRefused, socket.Receive(_batch).Error);
        Assert.True(socket.Receive(_batch).WouldBlock);
    }

    private UdpSocket Connect() => UdpSocket.Connect(NativeAddress.From(Other), out _)!;

    /// <summary>Has the other send the socket datagrams of 0, 1, 2 … bytes.</summary>
    private void SendBack(UdpSocket socket, int count)
    {
        using UdpListenSocket first = UdpListenSocket.Open(new(IPAddress.Loopback, 0), shared: false, anywhere: false, out _)!;
        _other.SendTo(new byte[1], first.LocalAddress);
        first.Receive(_batch);
        socket.Send(_batch, 0, 1);
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        _other.ReceiveFrom(new byte[100], ref from);
        for (int length = 0; length < count; length++)
            _other.SendTo(new byte[length], from);
    }
}
