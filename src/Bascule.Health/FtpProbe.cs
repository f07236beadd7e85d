using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does an FTP server greet us, and let us in? RFC 959 §5.4.</summary>
internal sealed class FtpProbe(FtpCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const int ReadySoon = 120, Ready = 220, LoggedIn = 230, BeginsTls = 234, NeedsPassword = 331;

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        Reply greeting = await Reply.ReadAsync(talk, cancellation);
        if (greeting.Code == ReadySoon)
            return Verdict.Failed($"not ready yet: {greeting}");
        if (greeting.Code != Ready)
            return Verdict.Failed(greeting.Code == 0 ? $"it does not speak FTP: {greeting}" : $"greeted with {greeting}");

        if (StartsTls)
        {
            Reply answer = await Reply.ToAsync("AUTH TLS", talk, cancellation); // RFC 4217 §4
            if (answer.Code != BeginsTls)
                return NoTls("AUTH TLS", $"{answer}");
            await EncryptAsync(talk, cancellation);
        }

        if (check.User is { } user)
        {
            Reply answer = await Reply.ToAsync($"USER {user}", talk, cancellation);
            if (answer.Code == NeedsPassword)
                answer = await Reply.ToAsync($"PASS {password}", talk, cancellation);
            if (answer.Code != LoggedIn)
                return Verdict.Failed($"answered the login with {answer}");
        }

        await Reply.ToAsync("QUIT", talk, cancellation);
        return Verdict.Pass(check.User is null ? "220" : "logged in");
    }
}
