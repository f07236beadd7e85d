using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Speaks TLS to a real server, and judges its certificate.</summary>
/// <param name="time">Now, for the dates of certificates.</param>
internal sealed class TlsClient(TlsTerms terms, TimeProvider time)
{
    private X509Certificate2Collection? _authorities;
    private DateTime _authoritiesFrom;

    /// <summary>Shakes hands over a connection. Whole each time: a resumed session shows no certificate.</summary>
    /// <exception cref="ConversationException">It does not speak TLS, or its certificate is not accepted; the message is a verdict's.</exception>
    /// <exception cref="CannotAskException">The file of authorities cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The time is up; the message says in what.</exception>
    public async ValueTask<SslStream> ConnectAsync(Stream stream, CancellationToken cancellation)
    {
        string? problem = null;
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = terms.ServerName ?? "",
            CertificateChainPolicy = Policy(),
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (problem = ProblemOf(certificate as X509Certificate2, chain, errors)) is null,
        };
        SslStream tls = new(stream, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(options, cancellation);
            return tls;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await tls.DisposeAsync();
            throw new LateException("TLS handshake", cancellation);
        }
        catch (Exception e) when (e is AuthenticationException or IOException { InnerException: not SocketException })
        {
            await tls.DisposeAsync();
            throw new ConversationException(problem ?? $"no TLS: {Innermost(e)}");
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads. A server that leaves TLS without its goodbye has closed all the same; whoever reads knows whether the answer was whole.</summary>
    public static async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellation);
        }
        catch (IOException e) when (e.InnerException is not SocketException)
        {
            return 0;
        }
    }

    /// <summary>That the certificate expires soon; null: it does not.</summary>
    public string? WarningOf(SslStream tls) =>
        tls.RemoteCertificate is X509Certificate2 certificate && certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime is var left && left < terms.WarnBefore
            ? left < TimeSpan.Zero ? $"the certificate expired on {certificate.NotAfter:yyyy-MM-dd}" : $"the certificate expires on {certificate.NotAfter:yyyy-MM-dd}, in {InWords(left)}"
            : null;

    private X509ChainPolicy Policy()
    {
        X509ChainPolicy policy = new()
        {
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true, // a check asks its real server, nobody else
            VerificationTimeIgnored = false,
            VerificationTime = time.GetLocalNow().DateTime,
        };
        if (terms is { Verifies: true, AuthorityFile: { } file })
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(Authorities(file));
        }

        return policy;
    }

    private X509Certificate2Collection Authorities(string file)
    {
        try
        {
            DateTime written = File.GetLastWriteTimeUtc(file);
            if (_authorities is not null && _authoritiesFrom == written)
                return _authorities;
            X509Certificate2Collection read = [];
            read.ImportFromPemFile(file);
            if (read.Count == 0)
                throw new CannotAskException($"{file} holds no certificate");
            (_authorities, _authoritiesFrom) = (read, written);
            return read;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CannotAskException($"{file} cannot be read: {e.Message}");
        }
    }

    /// <returns>Null when it is accepted.</returns>
    private string? ProblemOf(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return "it shows no certificate";
        if (terms.Pin is { } pin && !SHA256.HashData(certificate.RawDataMemory.Span).AsSpan().SequenceEqual(pin.AsImmutableArray().AsSpan()))
            return $"the certificate is not the pinned one, but {Convert.ToHexString(SHA256.HashData(certificate.RawDataMemory.Span))}";
        if (!terms.Verifies)
            return null;
        // Dates first: an expired certificate is the commonest case, and whose it is matters less.
        if (time.GetUtcNow() > certificate.NotAfter.ToUniversalTime())
            return $"the certificate expired on {certificate.NotAfter:yyyy-MM-dd}";
        if (time.GetUtcNow() < certificate.NotBefore.ToUniversalTime())
            return $"the certificate is not valid before {certificate.NotBefore:yyyy-MM-dd}";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            return InWords(chain?.ChainStatus ?? []);
        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && terms.ServerName is { } name
            ? $"the certificate is for {certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false)}, not for {name}"
            : null;
    }

    private static string InWords(X509ChainStatus[] statuses)
    {
        X509ChainStatusFlags flags = statuses.Aggregate(X509ChainStatusFlags.NoError, (sum, status) => sum | status.Status);
        if ((flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
            return "the certificate is signed by nobody who is trusted here";
        return flags.HasFlag(X509ChainStatusFlags.NotTimeValid)
            ? "a certificate above the real server's has expired"
            : $"the certificate is not accepted: {flags}";
    }

    private static string InWords(TimeSpan left) => left.TotalDays >= 2 ? $"{left.Days} days" : left.TotalHours >= 2 ? $"{(int)left.TotalHours} hours" : "less than 2 hours";

    private static string Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e.Message.TrimEnd('.');
}
