using System.Globalization;
using System.Net.Mail;
using Bascule.Core.Model;

namespace Bascule.Notify;

/// <summary>One letter a notification, by SMTP (RFC 5321).</summary>
internal sealed class EmailCarrier(EmailWay way) : Carrier
{
    public override bool MayRepeat => true;

    public override async Task<string?> DeliverAsync(Letter letter, CancellationToken cancellation)
    {
        using SmtpClient client = new(way.Server, way.Port) { EnableSsl = way.StartTls };
        using MailMessage message = new()
        {
            From = new(way.From),
            Subject = $"[{letter.Node}] {letter.Sentence}".ReplaceLineEndings(" "),
            Body = string.Create(CultureInfo.InvariantCulture, $"""
                {letter.Sentence}

                Why:      {letter.About.Why}
                When:     {letter.About.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC
                Director: {letter.Node}
                Number:   {letter.Number} since it started

                """),
        };
        foreach (string to in way.To)
            message.To.Add(to);
        try
        {
            await client.SendMailAsync(message, cancellation);
            return null;
        }
        catch (SmtpException e)
        {
            return e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message;
        }
    }
}
