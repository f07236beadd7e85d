using System.Diagnostics;
using System.Net;
using Bascule.Core.Model;
using Bascule.Proxy.Tests.Http1;
using Bascule.Testing;

namespace Bascule.Proxy.Tests;

/// <summary>The PROXY protocol as programs that we did not write send and understand it.</summary>
public sealed class ProxyProtocolPeerTests(HaproxyPeer haproxy, NginxPeer nginx) : IClassFixture<HaproxyPeer>, IClassFixture<NginxPeer>
{
    private static readonly IPNetwork Loopback = IPNetwork.Parse("127.0.0.0/8");

    [RealProgramFact("haproxy")]
    public async Task Clients_of_haproxy_are_known()
    {
        foreach ((IPEndPoint sender, IPEndPoint behind) in haproxy.Senders)
            await KnowsClientsOfAsync(sender, behind);
    }

    [RealProgramFact("libnginx-mod-stream")]
    public Task Clients_of_nginx_are_known() => KnowsClientsOfAsync(nginx.Sender, nginx.Behind);

    [Fact]
    public async Task Curl_is_a_sender_too()
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { ProxyProtocol = new([Loopback], Send: null) });

        Assert.Equal("web", await CurlAsync("--haproxy-protocol", $"http://{director.Address}/"));
    }

    [RealProgramFact("haproxy")]
    public Task Haproxy_is_told_who_the_client_is() => TellsAsync(haproxy.Address);

    [RealProgramFact("libnginx-mod-stream")]
    public Task Nginx_is_told_who_the_client_is() => TellsAsync(nginx.Address);

    private static async Task KnowsClientsOfAsync(IPEndPoint sender, IPEndPoint behind)
    {
        await using FakeRealServer web = Webs.Named("web");
        await using Director director = Director.Start(Director.Http(web.Address) with { Addresses = [new(behind)], ProxyProtocol = new([Loopback], Send: null) });

        Assert.Equal("web", await CurlAsync("--interface", "127.0.0.77", $"http://{sender}/"));

        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.77\r\n", web.Requests.Single(), StringComparison.Ordinal);
    }

    private static async Task TellsAsync(IPEndPoint receiver)
    {
        foreach (VirtualServerProtocol protocol in (VirtualServerProtocol[])[VirtualServerProtocol.Tcp, VirtualServerProtocol.Http])
        {
            foreach (ProxyProtocolVersion version in Enum.GetValues<ProxyProtocolVersion>())
            {
                await using Director director = Director.Start(Director.Tcp(receiver) with { Protocol = protocol, ProxyProtocol = new([], version) });

                string url = $"http://{director.Address}/";
                string told = $"127.0.0.77 to {director.Address.Address}\n";
                Assert.Equal(told + told, await CurlAsync("--interface", "127.0.0.77", url, url));
            }
        }
    }

    private static async Task<string> CurlAsync(params string[] arguments)
    {
        ProcessStartInfo info = new("curl", ["--silent", "--show-error", "--max-time", "10", .. arguments]) { RedirectStandardOutput = true };
        using Process curl = Process.Start(info)!;
        return await curl.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(15));
    }
}

/// <summary>An HAProxy: three senders, and a receiver that answers "CLIENT to DESTINATION" as the header said.</summary>
public sealed class HaproxyPeer : RealProgram
{
    private static readonly string[] Ways = ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"];

    /// <summary>Where each listens, and where it connects with a header.</summary>
    public (IPEndPoint Sender, IPEndPoint Behind)[] Senders { get; } = [.. Ways.Select(_ => (FreeAddress(), Director.FreeAddress()))];

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("haproxy") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        string configuration = Write("haproxy.cfg", $"""
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s
            {string.Concat(Senders.Select((s, i) => $"""
                listen sender{i}
                    bind {s.Sender}
                    unique-id-format %[uuid()]
                    server director {s.Behind} {Ways[i]}

                """))}
            frontend receiver
                mode http
                bind {Address} accept-proxy
                http-request return status 200 content-type text/plain lf-string "%[src] to %[dst]\n"

            """);
        return Task.FromResult<string[]>([Installed.Find("haproxy")!, "-db", "-f", configuration]);
    }
}

/// <summary>An nginx: a sender, and a receiver that answers "CLIENT to DESTINATION" as the header said.</summary>
public sealed class NginxPeer : RealProgram
{
    /// <summary>Where it listens, and connects to <see cref="Behind"/> with a header.</summary>
    public IPEndPoint Sender => OtherAddress;

    public IPEndPoint Behind { get; } = Director.FreeAddress();

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("libnginx-mod-stream") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        string configuration = Write("nginx.conf", $$"""
            load_module {{Installed.Find("libnginx-mod-stream")}};
            daemon off;
            master_process off;
            pid {{Folder}}/nginx.pid;
            error_log {{Folder}}/error.log;
            events { worker_connections 64; }
            stream {
                server {
                    listen {{Sender}};
                    proxy_pass {{Behind}};
                    proxy_protocol on;
                }
            }
            http {
                access_log off;
                client_body_temp_path {{Folder}}/body;
                proxy_temp_path {{Folder}}/proxy;
                fastcgi_temp_path {{Folder}}/fastcgi;
                uwsgi_temp_path {{Folder}}/uwsgi;
                scgi_temp_path {{Folder}}/scgi;
                server {
                    listen {{Address}} proxy_protocol;
                    location / { return 200 "$proxy_protocol_addr to $proxy_protocol_server_addr\n"; }
                }
            }
            """);
        return Task.FromResult<string[]>([Installed.Find("nginx")!, "-p", Folder, "-e", $"{Folder}/error.log", "-c", configuration]);
    }
}
