using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a SIP server answer OPTIONS? RFC 3261 §11. Asked in a datagram.</summary>
internal sealed class SipProbe(SipCheck check, IPEndPoint target) : DatagramProbe(target)
{
    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(DatagramTalk talk, CancellationToken cancellation)
    {
        SipQuestion question = new("UDP", talk.Local, Target, check);
        await talk.SendAsync(Encoding.UTF8.GetBytes(question.Text), cancellation);
        while (true)
        {
            string[] lines = Encoding.UTF8.GetString((await talk.ReceiveAsync(cancellation)).Span).Split("\r\n");
            if (question.Judge(lines) is { } verdict)
                return verdict;
        }
    }
}

/// <summary>The same over a connection.</summary>
internal sealed class SipStreamProbe(SipCheck check, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const int MostLines = 200;

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        SipQuestion question = new(Encrypts ? "TLS" : "TCP", talk.Local, Target, check);
        await talk.SendAsync(question.Text, cancellation);
        while (true)
        {
            List<string> lines = [];
            do
            {
                if (lines.Count == MostLines)
                    throw new ConversationException($"an answer of more than {MostLines} lines");
                lines.Add(await talk.ReadLineAsync(cancellation));
                if (lines.Count == 1 && !SipQuestion.IsAnswer(lines[0]))
                    return question.Judge([.. lines])!.Value;
            }
            while (lines[^1].Length > 0);

            if (question.Judge([.. lines]) is { } verdict)
                return verdict;
        }
    }
}

/// <summary>A question to a SIP server, and what its answers come to.</summary>
internal sealed class SipQuestion
{
    private const string Version = "SIP/2.0";

    private readonly string _callId = RandomNumberGenerator.GetHexString(16, lowercase: true);

    public SipQuestion(string transport, IPEndPoint local, IPEndPoint target, SipCheck check)
    {
        string uri = check.Uri ?? $"sip:{target}";
        string branch = $"z9hG4bK{RandomNumberGenerator.GetHexString(12, lowercase: true)}"; // §8.1.1.7: the cookie says that it is unique
        Text = string.Join("\r\n",
            $"OPTIONS {uri} {Version}",
            $"Via: {Version}/{transport} {local};branch={branch};rport", // rport, RFC 3581: the answer comes back to our port
            "Max-Forwards: 70",
            $"From: <sip:bascule-check@{local}>;tag={RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            $"To: <{uri}>",
            $"Call-ID: {_callId}",
            "CSeq: 1 OPTIONS",
            $"Contact: <sip:bascule-check@{local}>",
            "Accept: application/sdp",
            "User-Agent: bascule-check",
            "Content-Length: 0",
            "",
            "");
    }

    /// <summary>As it is sent.</summary>
    public string Text { get; }

    /// <summary>Whether this is the first line of an answer.</summary>
    public static bool IsAnswer(string line) => line.StartsWith($"{Version} ", StringComparison.Ordinal);

    /// <summary>What an answer comes to.</summary>
    /// <param name="lines">Its head, and more maybe.</param>
    /// <returns>Null: there is more to wait for, because it was provisional or to another question.</returns>
    public Verdict? Judge(string[] lines)
    {
        string[] status = lines[0].Split(' ', 3);
        if (!IsAnswer(lines[0]) || status.Length < 2 || !int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out int code))
            return Verdict.Failed($"it does not speak SIP: {Conversation.Show(lines[0])}");
        if (code < 200 || !lines.Any(IsOurs))
            return null;
        string said = string.Join(' ', status[1..]);
        return code < 300 ? Verdict.Pass(said) : Verdict.Failed($"answered {Conversation.Show(said)}");
    }

    // §7.3.3: i is the short form.
    private bool IsOurs(string line) =>
        line.Split(':', 2) is [var name, var value] && (name.Trim() is "i" || name.Trim().Equals("Call-ID", StringComparison.OrdinalIgnoreCase)) && value.Trim() == _callId;
}
