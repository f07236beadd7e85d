using Bascule.Replication.Wire;

namespace Bascule.Replication.Tests.Wire;

public sealed class RecordTests : IDisposable
{
    private static readonly RecordKey Key = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)], [.. Enumerable.Range(1, 12).Select(i => (byte)i)]);

    private readonly RecordSealer _sealer = new(Key);
    private readonly RecordOpener _opener = new(Key);

    [Fact]
    public void What_is_sealed_opens_in_the_same_order()
    {
        byte[][] contents = [[1], [.. Enumerable.Repeat((byte)9, RecordForm.LongestContent)], [2, 3]];

        Assert.All(contents.Select(c => (Content: c, Record: Seal(c))).ToArray(), r => Assert.Equal(r.Content, Open(r.Record)));
    }

    [Fact]
    public void The_same_content_never_looks_the_same() => Assert.NotEqual(Seal([1, 2, 3]), Seal([1, 2, 3]));

    [Fact]
    public void A_record_that_is_repeated_does_not_open()
    {
        byte[] record = Seal([1]);
        Open(record);

        Assert.Null(Open(record));
    }

    [Fact]
    public void A_record_after_one_that_was_left_out_does_not_open()
    {
        Seal([1]);

        Assert.Null(Open(Seal([2])));
    }

    [Fact]
    public void A_record_with_another_key_does_not_open()
    {
        using RecordSealer other = new(Key with { Key = [.. Key.Key.Reverse()] });

        Assert.Null(Open(Seal([1], other)));
    }

    [Fact]
    public void No_bit_of_a_record_can_be_turned()
    {
        byte[] record = Seal([1, 2, 3]);
        for (int bit = 0; bit < record.Length * 8; bit++)
        {
            byte[] turned = [.. record];
            turned[bit / 8] ^= (byte)(1 << (bit % 8));
            using RecordOpener opener = new(Key);

            Assert.Null(Open(turned, opener));
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData((uint)RecordForm.LongestContent + 1)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0x80000000u)]
    [InlineData(0xFFFFFFFFu)]
    public void No_record_is_empty_or_longer_than_the_bound(uint length)
    {
        byte[] head = [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];

        Assert.Null(RecordForm.ContentLength(head));
    }

    public void Dispose()
    {
        _sealer.Dispose();
        _opener.Dispose();
    }

    private byte[] Seal(byte[] content, RecordSealer? sealer = null)
    {
        byte[] wire = new byte[RecordForm.HeadLength + content.Length + RecordForm.TagLength];
        Assert.Equal(wire.Length, (sealer ?? _sealer).Seal(content, wire));
        return wire;
    }

    private byte[]? Open(byte[] record, RecordOpener? opener = null)
    {
        if (RecordForm.ContentLength(record.AsSpan(0, RecordForm.HeadLength)) is not { } length)
            return null;
        byte[] content = new byte[length];
        return (opener ?? _opener).TryOpen(record.AsSpan(0, RecordForm.HeadLength), record.AsSpan(RecordForm.HeadLength), content) ? content : null;
    }
}
