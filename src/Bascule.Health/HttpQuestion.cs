using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>One request, and what is made of the answer to it: the same however both travel.</summary>
/// <exception cref="ArgumentException">The check's regular expression is not one.</exception>
internal sealed class HttpQuestion(HttpCheck check, IPEndPoint target)
{
    private const int MostOfABody = 64 * 1024;

    private readonly byte[]? _contains = check.BodyContains is { } text ? Encoding.UTF8.GetBytes(text) : null;
    private readonly Regex? _matches = check.BodyMatches is { } pattern ? new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant) : null;

    /// <summary>What is sent.</summary>
    public byte[] Request { get; } = RequestOf(check, target);

    /// <summary>For an answer to it.</summary>
    public HttpAnswer NewAnswer(ArrayPool<byte> memory) =>
        new(isToHead: check.Method == "HEAD", MostOfABody, keepsBody: _contains is not null || _matches is not null, memory);

    /// <summary>The verdict on what has come of the answer so far; null: it takes more. The body is read even when nobody asks about it: a real
    /// server that dies in the middle of its answer is not well.</summary>
    public Verdict? VerdictOn(HttpAnswer answer)
    {
        if (answer.HasHead && !IsExpected(answer.Status))
            return Verdict.Failed($"status {answer.Status}, expected {string.Join(", ", check.Expect.Select(InWords))}");
        if (!answer.IsOver)
            return null;
        if (answer.Problem is { } problem)
            return Verdict.Failed(problem);
        if (_contains is not null && answer.Body.IndexOf(_contains) < 0)
            return Verdict.Failed($"body does not contain \"{check.BodyContains}\"");
        if (_matches is not null && !_matches.IsMatch(Encoding.UTF8.GetString(answer.Body)))
            return Verdict.Failed($"body does not match \"{check.BodyMatches}\"");
        return Verdict.Pass(answer.Status.ToString(CultureInfo.InvariantCulture));
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
