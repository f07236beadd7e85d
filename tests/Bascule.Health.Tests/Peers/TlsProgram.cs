using System.Security.Cryptography.X509Certificates;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests.Peers;

/// <summary>A server program that also speaks TLS, with a certificate for server.example.</summary>
public abstract class TlsProgram : RealProgram
{
    private const string Name = "server.example";

    private Certificates? _ours;

    /// <summary>Path of its certificate.</summary>
    protected string CertificateFile => Path.Combine(Folder, $"{Name}.pem");

    /// <summary>Path of its key, which its owner alone may read.</summary>
    protected string KeyFile => Path.Combine(Folder, $"{Name}.key");

    /// <summary>Writes both.</summary>
    protected void WriteCertificate()
    {
        _ours = new(Folder);
        using X509Certificate2 certificate = _ours.Sign(Name, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10).AddHours(1));
    }

    /// <summary>TLS by which it is accepted.</summary>
    public TlsUse Tls(TlsBegin begin) =>
        new(begin, new() { ServerName = Name, Verifies = true, AuthorityFile = _ours?.File, Pin = null, WarnBefore = TimeSpan.Zero });

    /// <summary>TLS by which the certificate is that of another server.</summary>
    public TlsUse TlsOfAnother(TlsBegin begin) => Tls(begin) with { Terms = Tls(begin).Terms with { ServerName = "other.example" } };

    /// <summary>What a check says then.</summary>
    public const string IsAnother = "down: the certificate is for server.example, not for other.example";

    /// <inheritdoc/>
    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _ours?.Dispose();
    }
}
