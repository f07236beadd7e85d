using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bascule.Testing;

namespace Bascule.Health.Tests.Peers;

/// <summary>nginx with TLS: one address with a good certificate for shop.example and another for other.example, one with an expired one.</summary>
public sealed class TlsNginx : RealProgram
{
    private Certificates? _ours;
    private Certificates? _strangers;

    /// <summary>By SNI: shop.example, and other.example; shop.example without.</summary>
    public IPEndPoint Good => Address;

    /// <summary>Expired a day ago.</summary>
    public IPEndPoint Expired { get; } = FreeAddress();

    /// <summary>Speaks HTTP without TLS.</summary>
    public IPEndPoint Plain => OtherAddress;

    /// <summary>PEM of the authority that signed all of them.</summary>
    public string Authority => _ours!.File;

    /// <summary>PEM of one that signed none.</summary>
    public string Stranger => _strangers!.File;

    /// <summary>That of shop.example; expires in ten days and an hour.</summary>
    public X509Certificate2? Certificate { get; private set; }

    /// <inheritdoc/>
    protected override bool IsInstalled => true; // no test runs without it

    /// <inheritdoc/>
    protected override bool IsReady() => Accepts(Good) && Accepts(Plain);

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        _ours = new(Folder);
        _strangers = new(Folder, "stranger");
        Certificate = _ours.Sign("shop.example", now.AddDays(-1), now.AddDays(10).AddHours(1));
        _ours.Sign("other.example", now.AddDays(-1), now.AddDays(100)).Dispose();
        _ours.Sign("expired.example", now.AddDays(-10), now.AddDays(-1)).Dispose();
        string configuration = Write("nginx.conf", $$"""
            daemon off;
            master_process off;
            pid {{Folder}}/nginx.pid;
            error_log {{Folder}}/error.log;
            events { worker_connections 64; }
            http {
                access_log off;
                ssl_protocols TLSv1.2 TLSv1.3;
                client_body_temp_path {{Folder}}/body;
                proxy_temp_path {{Folder}}/proxy;
                fastcgi_temp_path {{Folder}}/fastcgi;
                uwsgi_temp_path {{Folder}}/uwsgi;
                scgi_temp_path {{Folder}}/scgi;
                server {
                    listen {{Good}} ssl default_server;
                    server_name shop.example;
                    ssl_certificate shop.example.pem;
                    ssl_certificate_key shop.example.key;
                    location / { add_header X-State ready; return 200 "shop by $ssl_server_name"; }
                    location /broken { return 503; }
                    location /other { return 200 "other"; }
                }
                server {
                    listen {{Good}} ssl;
                    server_name other.example;
                    ssl_certificate other.example.pem;
                    ssl_certificate_key other.example.key;
                    location / { return 200 "other by $ssl_server_name"; }
                }
                server {
                    listen {{Expired}} ssl;
                    ssl_certificate expired.example.pem;
                    ssl_certificate_key expired.example.key;
                    location / { return 200 "expired"; }
                }
                server {
                    listen {{Plain}};
                    location / { add_header X-State ready; return 200 "plain"; }
                    location /broken { return 503; }
                }
            }
            """);
        return Task.FromResult<string[]>([Installed.Find("nginx")!, "-p", Folder, "-e", $"{Folder}/error.log", "-c", configuration]);
    }

    /// <inheritdoc/>
    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _ours?.Dispose();
        _strangers?.Dispose();
        Certificate?.Dispose();
    }
}
