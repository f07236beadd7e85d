using Bascule.Proxy.Http1;

namespace Bascule.Proxy.Tests.Http1;

public sealed class AllocationTests
{
    private static readonly byte[] RequestBytes = Heads.Bytes(Heads.Browser.Replace("keep-alive", "keep-alive, dnt", StringComparison.Ordinal));
    private static readonly byte[] ResponseBytes = Heads.Bytes("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n");
    private static readonly byte[] RefusedBytes = Heads.Bytes("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");

    private readonly byte[] _output = new byte[4096];
    private readonly RequestHead _request = new();
    private readonly ResponseHead _response = new();

    [Fact]
    public void A_request_costs_no_allocation() => AssertNoAllocation(() =>
    {
        _request.Parse(RequestBytes, Heads.Limits);
        RequestWriter.Write(_request, RequestBytes, new("203.0.113.7"u8, "http"u8, "192.0.2.10:80"u8), _output);
    });

    [Fact]
    public void A_response_costs_no_allocation() => AssertNoAllocation(() =>
    {
        _response.Parse(ResponseBytes, Heads.Limits, Method.Get, upgrading: false);
        ResponseWriter.Write(_response, ResponseBytes, 1, keepAlive: true, setCookie: [], _output);
    });

    [Fact]
    public void A_refusal_costs_no_allocation() => AssertNoAllocation(() =>
        _ = Responses.For(_request.Parse(RefusedBytes, Heads.Limits)).Length);

    [Fact]
    public void Chunks_cost_no_allocation() => AssertNoAllocation(() =>
    {
        int length = ChunkWriter.WriteHeader(_output, 0x20);
        ChunkWriter.End.CopyTo(_output.AsSpan(length + 0x20));
        ChunkWriter.LastChunk.CopyTo(_output.AsSpan(length + 0x22));
        ChunkedDecoder decoder = new(Heads.Limits);
        decoder.Decode(_output, out _, out _);
    });

    private static void AssertNoAllocation(Action action)
    {
        for (int i = 0; i < 100; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            action();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
