using System.Diagnostics;

namespace Bascule.Lab.Tests.Pair;

/// <summary>
/// A real server inside that answers requests and sends slow downloads, and a client that asks all the time: on new connections, on kept ones, and with
/// downloads that last for seconds. Written in Python, so that nothing of ours judges itself.
/// </summary>
internal sealed class HandoverTraffic : IAsyncDisposable
{
    private const string Server = """
        import socket, threading, time
        def serve(c):
            try:
                data = b''
                while True:
                    while b'\r\n\r\n' not in data:
                        more = c.recv(65536)
                        if not more: return
                        data += more
                    head, data = data.split(b'\r\n\r\n', 1)
                    if b'/slow' not in head:
                        c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
                        continue
                    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1600000\r\n\r\n')
                    for i in range(80):
                        c.sendall(bytes([i]) * 20000)
                        time.sleep(0.05)
            except OSError:
                pass
        s = socket.create_server(('', 9000), backlog=1000)
        print('ready', flush=True)
        while True:
            threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
        """;

    // A kept connection that is told to close is opened again, as by any client; one that just breaks has lost a request.
    private const string Client = """
        import socket, sys, threading, time
        address, seconds = sys.argv[1], float(sys.argv[2])
        end, counts, failed, lock = time.time() + seconds, {'new': 0, 'kept': 0, 'downloads': 0}, [], threading.Lock()
        whole = b''.join(bytes([i]) * 20000 for i in range(80))
        downloading = threading.Semaphore(0)
        def connect():
            return socket.create_connection((address, 80), timeout=20)
        def answer(c, path):
            c.sendall(b'GET ' + path + b' HTTP/1.1\r\nHost: a\r\n\r\n')
            data = b''
            while b'\r\n\r\n' not in data:
                more = c.recv(65536)
                if not more: raise OSError('closed after %r' % data)
                data += more
            head, body = data.split(b'\r\n\r\n', 1)
            if path == b'/slow': downloading.release()
            length = int(head.lower().split(b'content-length:')[1].split(b'\r\n')[0])
            while len(body) < length:
                more = c.recv(65536)
                if not more: raise OSError('closed after %d bytes' % len(body))
                body += more
            return head, body
        def count(what, ask):
            try:
                ask()
                with lock: counts[what] += 1
            except Exception as e:
                failed.append((what, repr(e), round(end - time.time(), 2)))
        def new():
            with connect() as c: assert answer(c, b'/')[1] == b'ok'
        def download():
            with connect() as c: assert answer(c, b'/slow')[1] == whole
        def news():
            while time.time() < end:
                count('new', new)
                time.sleep(0.005)
        def downloads():
            while time.time() < end - 5: count('downloads', download)
        def kept():
            c = [None]
            def ask():
                try:
                    if c[0] is None: c[0] = connect()
                    head, body = answer(c[0], b'/')
                    assert body == b'ok'
                    if b'connection: close' in head.lower():
                        c[0].close()
                        c[0] = None
                except Exception:
                    c[0] = None
                    raise
            while time.time() < end:
                count('kept', ask)
                time.sleep(0.005)
        threads = [threading.Thread(target=t) for t in [news, downloads, downloads, kept, kept, kept]]
        new()
        for t in threads: t.start()
        downloading.acquire(); downloading.acquire()
        print('asking', flush=True)
        for t in threads: t.join()
        print('new', counts['new'], 'kept', counts['kept'], 'downloads', counts['downloads'], 'failed', len(failed), failed[:5], flush=True)
        """;

    private readonly PairFixture _lab;
    private readonly string _address;
    private readonly Process _server;
    private Process? _client;

    private HandoverTraffic(PairFixture lab, string address)
    {
        (_lab, _address) = (lab, address);
        _server = lab["alpha"].StartTalking("python3", "-c", Server);
    }

    /// <summary>Starts the real server.</summary>
    public static async Task<HandoverTraffic> StartAsync(PairFixture lab, string address)
    {
        HandoverTraffic traffic = new(lab, address);
        await traffic._server.StandardOutput.ReadLineAsync();
        return traffic;
    }

    /// <summary>Waits until a director is Active, starts the client, and waits until its downloads have begun there.</summary>
    /// <returns>Completes with the client's report.</returns>
    public async Task<Task<string>> BeginAsync(PairDirector director, int seconds)
    {
        while (!director.Log.Contains("web-vip is Active", StringComparison.Ordinal))
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        _client = _lab["client"].StartTalking("python3", "-c", Client, _address, $"{seconds}");
        Assert.Equal("asking", await _client.StandardOutput.ReadLineAsync());
        return ReportAsync(_client);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process? process in (Process?[])[_client, _server])
        {
            if (process is { HasExited: false })
                process.Kill(entireProcessTree: true);
            if (process is not null)
                await process.WaitForExitAsync();
            process?.Dispose();
        }
    }

    private static async Task<string> ReportAsync(Process client) => await client.StandardOutput.ReadLineAsync() ?? "the client ended without a report";
}
