using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Weights;

namespace Bascule.Core.Health;

/// <summary>The answer to one check.</summary>
/// <param name="Passed">Whether it was the expected answer.</param>
/// <param name="Why">A short sentence an operator can act on: <c>200 in 1 ms</c>, <c>connection refused</c>, <c>no answer within 1s</c>.</param>
/// <param name="Took">From the start of the check to its answer.</param>
public sealed record CheckAnswer(bool Passed, string Why, TimeSpan Took)
{
    /// <summary>What the real server wants its weight to be; null: it does not say.</summary>
    public WeightAdvice? Weight { get; init; }

    /// <summary>How much it has to do, 1 being as much as it can; null: it does not say. See <see cref="Weights.LoadWeight"/>.</summary>
    public double? Load { get; init; }

    /// <summary>What it wants to be treated as; null: it does not say. Of this and what an operator says the stricter counts.</summary>
    public AdministrativeState? Wish { get; init; }

    /// <summary>What will be wrong soon though the check passes, such as a certificate that expires; null: nothing.</summary>
    public string? Warning { get; init; }

    /// <summary>What the external program wrote, at most 4,096 characters; null: it wrote nothing, or none was run.</summary>
    public string? Output { get; init; }
}

/// <summary>
/// What is known about one real server from one check. Written by the health engine alone; readers see a value that is at most a
/// moment old. What turns answers into up and down is <see cref="Health.Cadence"/>.
/// </summary>
public sealed class HealthRecord(Check check, IPEndPoint realServer, DateTimeOffset now, bool wasUp = false)
{
    private volatile CheckAnswer? _last;
    private volatile string? _notAsked;
    private long _sinceTicks = now.UtcTicks;
    private long _lastAtTicks = now.UtcTicks;
    private long _heldUntilTicks;
    private long _answers;
    private uint _mark;
    private LoadWeight? _load; // null: nothing is known of its load

    /// <summary>The question.</summary>
    public Check Check { get; } = check;

    /// <summary>Who is asked (the check may name another port).</summary>
    public IPEndPoint RealServer { get; } = realServer;

    /// <summary>When it is asked, and what the answers come to.</summary>
    public Cadence Cadence { get; } = new(check, wasUp);

    /// <summary>
    /// Mark that the check's sockets carry, by which the packet datapath sends them on the way of clients' packets; 0: none. The engine of the datapath
    /// writes it. socket(7), SO_MARK.
    /// </summary>
    public uint Mark
    {
        get => Volatile.Read(ref _mark);
        set => Volatile.Write(ref _mark, value);
    }

    /// <summary>Whether it may be given work.</summary>
    public bool IsUp => Cadence.IsUp;

    /// <summary>When it last changed between up and down; when the record was made, if it never did.</summary>
    public DateTimeOffset Since => new(Volatile.Read(ref _sinceTicks), TimeSpan.Zero);

    /// <summary>The last answer; null before the first.</summary>
    public CheckAnswer? Last => _last;

    /// <summary>Why this director cannot ask, so that the rest stays as it was; null: it can, or has not tried yet. The health engine writes it.</summary>
    public string? NotAsked
    {
        get => _notAsked;
        set => _notAsked = value;
    }

    /// <summary>When the last answer came; when the record was made, before the first.</summary>
    public DateTimeOffset LastAt => new(Volatile.Read(ref _lastAtTicks), TimeSpan.Zero);

    /// <summary>Until when it stays down though its checks pass again (<see cref="Check.Reentry"/>, <see cref="Check.FlapHold"/>); null: nothing holds it.</summary>
    public DateTimeOffset? HeldUntil => Volatile.Read(ref _heldUntilTicks) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

    /// <summary>Answers so far.</summary>
    public long Answers => Volatile.Read(ref _answers);

    /// <summary>Answers in a row that disagree with the state: how far it is on the way to changing.</summary>
    public int Streak => Cadence.Streak;

    /// <summary>Takes an answer into account. A failed one that says nothing of the weight or the state leaves what the last one said.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="at">When it came.</param>
    /// <param name="now">The same by a clock that nobody sets, for what takes its time (<see cref="Check.Reentry"/>, <see cref="Check.FlapHold"/>).</param>
    /// <returns>Whether it changed between up and down.</returns>
    public bool Apply(CheckAnswer answer, DateTimeOffset at, TimeSpan now = default)
    {
        _last = answer.Passed ? Weighed(answer, now)
            : _last is not { } last || last is { Weight: null, Wish: null } ? answer
            : answer with { Weight = answer.Weight ?? last.Weight, Wish = answer.Wish ?? last.Wish };
        Volatile.Write(ref _lastAtTicks, at.UtcTicks);
        bool changed = Cadence.Take(answer.Passed, now);
        Volatile.Write(ref _heldUntilTicks, Cadence.HeldUntil(now) is { } held ? (at + (held - now)).UtcTicks : 0);
        if (changed)
            Volatile.Write(ref _sinceTicks, at.UtcTicks);
        if (!IsUp)
            _load = null; // who comes back begins anew
        Volatile.Write(ref _answers, _answers + 1);
        return changed;
    }

    // What it says of its weight goes before what its load makes of that.
    private CheckAnswer Weighed(CheckAnswer answer, TimeSpan now)
    {
        if (answer is not { Load: { } load, Weight: null })
        {
            _load = null;
            return answer;
        }

        _load ??= new();
        return answer with { Weight = _load.Take(load, now) };
    }
}
