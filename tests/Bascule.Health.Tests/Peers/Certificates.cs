using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bascule.Health.Tests.Peers;

/// <summary>An authority, and certificates it signs, as PEM files.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private readonly string _folder;

    public Certificates(string folder, string name = "authority")
    {
        _folder = folder;
        CertificateRequest request = new($"CN=Our {name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        File = Path.Combine(folder, $"{name}.pem");
        System.IO.File.WriteAllText(File, _authority.ExportCertificatePem());
    }

    /// <summary>Of the authority.</summary>
    public string File { get; }

    /// <summary>Writes NAME.pem and NAME.key for a server of this name.</summary>
    public X509Certificate2 Sign(string name, DateTimeOffset from, DateTimeOffset until)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        X509Certificate2 certificate = request.Create(_authority, from, until, RandomNumberGenerator.GetBytes(8));
        System.IO.File.WriteAllText(Path.Combine(_folder, $"{name}.pem"), certificate.ExportCertificatePem());
        string keyFile = Path.Combine(_folder, $"{name}.key");
        System.IO.File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        System.IO.File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite); // PostgreSQL takes no other
        return certificate;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }
}
