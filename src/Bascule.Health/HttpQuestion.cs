using System.Buffers;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>One request, and what is made of the answer to it: the same however both travel.</summary>
/// <exception cref="ArgumentException">The check's regular expression is not one.</exception>
internal sealed class HttpQuestion(HttpCheck check, IPEndPoint target)
{
    private const int MostOfABody = 64 * 1024;
    private const int MostOfADigest = 1024 * 1024; // of a digest's body, which is whole

    private readonly byte[][] _headers = [.. check.ExpectHeaders.Select(h => Encoding.UTF8.GetBytes(h.Value))];
    private readonly byte[]? _contains = check.BodyContains is { } text ? Encoding.UTF8.GetBytes(text) : null;
    private readonly byte[]? _lacks = check.BodyNotContains is { } text ? Encoding.UTF8.GetBytes(text) : null;
    private readonly Regex? _matches = check.BodyMatches is { } pattern ? new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant) : null;

    /// <summary>What is sent.</summary>
    public byte[] Request { get; } = RequestOf(check, target);

    /// <summary>For an answer to it.</summary>
    public HttpAnswer NewAnswer(ArrayPool<byte> memory) => new(
        isToHead: check.Method == "HEAD",
        check.BodyDigest is null ? MostOfABody : MostOfADigest,
        keepsBody: _contains is not null || _lacks is not null || _matches is not null || check.BodyDigest is not null,
        memory,
        keepsFields: check.ExpectHeaders.Count > 0);

    /// <summary>The verdict on what has come of the answer so far; null: it takes more. The body is read even when nobody asks about it: a real
    /// server that dies in the middle of its answer is not well.</summary>
    public Verdict? VerdictOn(HttpAnswer answer)
    {
        if (answer is { HasHead: true, IsHeadJudged: false })
        {
            if (!IsExpected(answer.Status))
                return Verdict.Failed($"status {answer.Status}, expected {string.Join(", ", check.Expect.Select(InWords))}");
            if (Missing(answer) is { } missing)
                return Verdict.Failed($"header {missing.Name} does not contain \"{missing.Value}\"");
            answer.IsHeadJudged = true;
        }

        if (!answer.IsOver)
            return null;
        if (answer.Problem is { } problem)
            return Verdict.Failed(problem);
        return ProblemOf(answer.Body) is { } wrong ? Verdict.Failed(wrong) : Verdict.Pass(answer.Status.ToString(CultureInfo.InvariantCulture));
    }

    private string? ProblemOf(ReadOnlySpan<byte> body)
    {
        if (_contains is not null && body.IndexOf(_contains) < 0)
            return $"body does not contain \"{check.BodyContains}\"";
        if (_lacks is not null && body.IndexOf(_lacks) >= 0)
            return $"body contains \"{check.BodyNotContains}\"";
        if (_matches is not null && !_matches.IsMatch(Encoding.UTF8.GetString(body)))
            return $"body does not match \"{check.BodyMatches}\"";
        return check.BodyDigest is { } digest ? ProblemOf(body, digest) : null;
    }

    private static string? ProblemOf(ReadOnlySpan<byte> body, BodyDigest wanted)
    {
        if (body.Length == MostOfADigest)
            return "body is 1 MiB or longer, so no digest is made of it";
        string digest = Convert.ToHexStringLower(DigestOf(body, wanted.Kind));
        return digest == wanted.Hex ? null : $"{(wanted.Kind == DigestKind.Md5 ? "md5" : "sha256")} of the body is {digest}";
    }

    private static byte[] DigestOf(ReadOnlySpan<byte> body, DigestKind kind) => kind switch
    {
        DigestKind.Sha256 => SHA256.HashData(body),
#pragma warning disable CA5351 // It recognises a page; keepalived's genhash has made such digests for decades.
        DigestKind.Md5 => MD5.HashData(body),
#pragma warning restore CA5351
    };

    private HeaderField? Missing(HttpAnswer answer)
    {
        for (int i = 0; i < check.ExpectHeaders.Count; i++) // by index: an enumerator would be an object for each answer
        {
            if (!answer.HasField(check.ExpectHeaders[i].Name, _headers[i]))
                return check.ExpectHeaders[i];
        }

        return null;
    }

    private bool IsExpected(int status)
    {
        for (int i = 0; i < check.Expect.Count; i++)
        {
            if (check.Expect[i].Contains(status))
                return true;
        }

        return false;
    }

    private static byte[] RequestOf(HttpCheck check, IPEndPoint target)
    {
        StringBuilder head = new($"{check.Method} {check.Path} HTTP/1.1\r\nHost: {check.Host ?? target.ToString()}\r\n");
        foreach (HeaderField field in check.Headers)
            head.Append($"{field.Name}: {field.Value}\r\n");
        if (!check.Headers.Any(f => f.Name.Equals("User-Agent", StringComparison.OrdinalIgnoreCase)))
            head.Append("User-Agent: bascule-check\r\n");
        head.Append("Connection: close\r\n\r\n");
        return Encoding.UTF8.GetBytes(head.ToString());
    }

    private static string InWords(StatusRange range) => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}";
}
