using System.Net.Sockets;

namespace Bascule.Proxy.Tests.Tcp;

/// <summary>Bytes without end that both sides know: what is lost, doubled or out of place shows at once.</summary>
internal sealed class Pattern
{
    private readonly byte[] _block = new byte[1_000_003]; // a prime, so that it never lines up with a buffer
    private readonly Random _random;

    public Pattern(int seed)
    {
        _random = new(seed);
        _random.NextBytes(_block);
    }

    /// <summary>Sends so many bytes in chunks from one byte to 200 kB, with a breath now and then.</summary>
    public async Task SendAsync(Socket to, long count)
    {
        for (long sent = 0; sent < count;)
        {
            int chunk = _random.Next(4) == 0 ? _random.Next(1, 100) : _random.Next(1, 200_000);
            sent += await to.SendAsync(At(sent, (int)long.Min(chunk, count - sent)));
            await BreatheAsync();
        }
    }

    /// <summary>Receives to the end, in pieces of random size, with a breath now and then.</summary>
    /// <returns>How many bytes came, all of them the right ones.</returns>
    public async Task<long> ReceiveToEndAsync(Socket from, long atMost = long.MaxValue)
    {
        byte[] buffer = new byte[200_000];
        long received = 0;
        while (received < atMost)
        {
            int room = (int)long.Min(_random.Next(1, buffer.Length), atMost - received);
            int count = await from.ReceiveAsync(buffer.AsMemory(0, room));
            if (count == 0)
                break;
            Check(buffer.AsSpan(0, count), received);
            received += count;
            await BreatheAsync();
        }

        return received;
    }

    /// <summary>The bytes from this offset on, at most so many.</summary>
    public ReadOnlyMemory<byte> At(long offset, int most)
    {
        int start = (int)(offset % _block.Length);
        return _block.AsMemory(start, int.Min(most, _block.Length - start));
    }

    private void Check(ReadOnlySpan<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> expected = At(offset, bytes.Length).Span;
            Assert.True(expected.SequenceEqual(bytes[..expected.Length]), $"wrong bytes between {offset} and {offset + expected.Length}");
            bytes = bytes[expected.Length..];
            offset += expected.Length;
        }
    }

    private async Task BreatheAsync()
    {
        if (_random.Next(100) == 0)
            await Task.Delay(1);
        else if (_random.Next(10) == 0)
            await Task.Yield();
    }
}
