using Bascule.Linux.Memory;

namespace Bascule.Linux.Tests.Memory;

public sealed class BufferPoolTests
{
    [Fact]
    public void The_buffer_returned_last_is_the_next_one_out()
    {
        using BufferPool pool = new(100, keep: 4);
        NativeBuffer a = pool.Rent(), b = pool.Rent();

        pool.Return(a);
        pool.Return(b);

        Assert.Same(b, pool.Rent());
        Assert.Same(a, pool.Rent());
        Assert.Equal(2, pool.Rented);
        pool.Return(a);
        pool.Return(b);
    }

    [Fact]
    public void Keeps_no_more_than_it_was_told_to()
    {
        using BufferPool pool = new(100, keep: 1);
        NativeBuffer a = pool.Rent(), b = pool.Rent();

        pool.Return(a);
        pool.Return(b); // given back to the system

        Assert.Same(a, pool.Rent());
        Assert.NotSame(b, pool.Rent());
    }

    [Fact]
    public void A_buffer_is_as_large_as_asked_and_can_be_written_to_its_last_byte()
    {
        using BufferPool pool = new(100, keep: 1);
        NativeBuffer buffer = pool.Rent();

        buffer.Span.Fill(7);

        Assert.Equal((100, 100, 7), (buffer.Size, buffer.Span.Length, buffer.Span[99]));
        pool.Return(buffer);
    }
}
