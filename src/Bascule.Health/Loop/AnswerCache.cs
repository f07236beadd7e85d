using Bascule.Core.Health;

namespace Bascule.Health.Loop;

/// <summary>Answers that have been given before, to the millisecond: ten thousand real servers that are well say the same few things.</summary>
internal sealed class AnswerCache
{
    private const int Most = 4096;
    private const int LongestWhy = 100; // characters; what is longer is hardly said twice, and would only be kept

    private readonly Dictionary<(bool Passed, string Why, int Milliseconds), CheckAnswer> _answers = [];

    /// <summary>The answer to a verdict, which took so long in whole milliseconds, rounded up.</summary>
    public CheckAnswer Of(in Verdict verdict, TimeSpan took)
    {
        double milliseconds = Math.Ceiling(took.TotalMilliseconds);
        TimeSpan rounded = TimeSpan.FromMilliseconds(milliseconds);
        if (verdict is not { Weight: null, Load: null, Wish: null, Warning: null, Output: null, Why.Length: <= LongestWhy })
            return verdict.ToAnswer(rounded);
        (bool, string, int) key = (verdict.Passed, verdict.Why, (int)milliseconds);
        if (_answers.TryGetValue(key, out CheckAnswer? known))
            return known;
        if (_answers.Count == Most)
            _answers.Clear();
        CheckAnswer answer = verdict.ToAnswer(rounded);
        _answers.Add(key, answer);
        return answer;
    }
}
