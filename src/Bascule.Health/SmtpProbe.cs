using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a mail server greet us, and take our greeting? RFC 5321 §3.1, §3.2.</summary>
internal sealed class SmtpProbe(SmtpCheck check, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        Reply greeting = await Reply.ReadAsync(talk, cancellation);
        if (greeting.Code != 220)
            return Verdict.Failed(greeting.Code == 0 ? $"it does not speak SMTP: {greeting}" : $"greeted with {greeting}");

        Reply hello = await Reply.ToAsync($"EHLO {check.Hello}", talk, cancellation);
        if (StartsTls)
        {
            Reply answer = await Reply.ToAsync("STARTTLS", talk, cancellation);
            if (answer.Code != 220)
                return NoTls("STARTTLS", $"{answer}");
            await EncryptAsync(talk, cancellation);
            hello = await Reply.ToAsync($"EHLO {check.Hello}", talk, cancellation); // RFC 3207 §4.2: what was said before is forgotten
        }

        if (hello.Code is >= 500 and < 600) // §3.2: a server of the old kind
            hello = await Reply.ToAsync($"HELO {check.Hello}", talk, cancellation);
        if (hello.Code != 250)
            return Verdict.Failed($"answered our greeting with {hello}");

        await Reply.ToAsync("QUIT", talk, cancellation); // §4.1.1.10: who goes without is written into its log
        return Verdict.Pass("220, 250");
    }
}
