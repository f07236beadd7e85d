using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Linux.Epoll;

namespace Bascule.Health.Loop;

/// <summary>
/// One record's check, again and again: at rest until its deadline, which then is when to ask; being asked until the answer, and then
/// the deadline is the timeout. So never two checks of one record at a time. Everything happens on the loop's thread.
/// </summary>
internal abstract class RunningCheck(HealthRecord record, HealthLoop loop) : Timed
{
    private TimeSpan _begun;
    private TimeSpan _askedAt;

    /// <summary>What it is about.</summary>
    public HealthRecord Record { get; } = record;

    /// <summary>Where it lives.</summary>
    protected HealthLoop Loop { get; } = loop;

    /// <summary>Intervals are at least as long; zero: as configured.</summary>
    public TimeSpan ShortestInterval { get; set; }

    /// <summary>A question is out, and its answer has not come.</summary>
    public bool IsAsking { get; private set; }

    /// <summary>It was asked once at least, or could not be.</summary>
    public bool HasBeenAsked { get; private set; }

    /// <summary>Its place in the loop's table of descriptors.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>The right kind for a record: what is asked over a plain TCP connection is asked by this thread itself.</summary>
    public static RunningCheck For(HealthRecord record, HealthLoop loop) => record.Check switch
    {
        TcpCheck => new TcpRunningCheck(record, loop),
        HttpCheck http when HttpRunningCheck.CanAsk(http) => new HttpRunningCheck(http, record, loop),
        _ => new ProbeRunningCheck(record, loop),
    };

    /// <summary>Asks next after so long, however much of an interval is left. A check that is being asked is left alone.</summary>
    public void AskAfter(TimeSpan delay)
    {
        if (!IsAsking)
            Loop.Deadlines.Set(this, Loop.Now + delay);
    }

    /// <summary>Its deadline has come.</summary>
    public void OnDeadline()
    {
        if (IsAsking)
            TimeOut();
        else
            Begin();
    }

    /// <summary>The kernel says that its descriptor is ready.</summary>
    public virtual void OnReady(Readiness readiness)
    {
    }

    /// <summary>Nobody wants to know any more.</summary>
    public void End()
    {
        Loop.Deadlines.Remove(this);
        if (!IsAsking)
            return;
        IsAsking = false;
        Loop.Asking--;
        Abandon();
    }

    /// <summary>The check itself has a fault; that is not the real server's, but nobody knows how it is.</summary>
    public void Break(Exception unexpected)
    {
        Log.CheckBroke(Loop.Logger, unexpected, Record.RealServer);
        if (!IsAsking)
            return;
        Abandon();
        Conclude(Verdict.Failed($"the check itself failed: {unexpected.Message}"));
    }

    /// <summary>Puts the question. <see cref="Conclude"/> is called at once, or later.</summary>
    protected abstract void Ask();

    /// <summary>Drops the question that is out. A second call does nothing.</summary>
    protected abstract void Abandon();

    /// <summary>The time is up.</summary>
    protected virtual void TimeOut()
    {
        Abandon();
        Conclude(Verdict.Failed(Late(Record.Check)));
    }

    /// <summary>What is said of a real server that took too long.</summary>
    protected static string Late(Check check) => $"no answer within {InWords(check.Timeout)}";

    /// <summary>Takes the verdict, and goes to rest until the next time.</summary>
    protected void Conclude(in Verdict verdict)
    {
        IsAsking = false;
        Loop.Asking--;
        TimeSpan now = Loop.Now;
        if (verdict.WasAsked)
            Take(Loop.Answers.Of(verdict, now - _askedAt), now);
        else
            NoteNotAsked(Said.Line(verdict.Why));
        Loop.Deadlines.Set(this, Record.Cadence.NextCheck(_begun, now, ShortestInterval, Loop.Jitter()));
        if (HasBeenAsked)
            return;
        HasBeenAsked = true;
        Loop.OnFirstAnswer();
    }

    private void Begin()
    {
        _begun = Loop.Deadlines.DeadlineOf(this);
        _askedAt = Loop.Now;
        IsAsking = true;
        Loop.Asking++;
        Loop.Deadlines.Set(this, _askedAt + Record.Check.Timeout);
        Ask();
    }

    // When the director itself cannot ask, the record stays as it is: its own trouble must not take every real server out.
    private void NoteNotAsked(string why)
    {
        if (Record.NotAsked is null)
            Log.RealServerNotAsked(Loop.Logger, Record.RealServer, why);
        Record.NotAsked = why;
    }

    private void Take(CheckAnswer answer, TimeSpan now)
    {
        Record.NotAsked = null;
        CheckAnswer? before = Record.Last;
        bool turned = Record.Apply(answer, Loop.Time.GetUtcNow(), now);
        if (turned && answer.Passed)
            Log.RealServerIsUp(Loop.Logger, Record.RealServer, answer.Why);
        else if (turned)
            Log.RealServerIsDown(Loop.Logger, Record.RealServer, answer.Why, AfterWhat());
        else if (before is null && !Record.IsUp)
            Log.RealServerIsDown(Loop.Logger, Record.RealServer, answer.Why, "first check"); // down already, but now it is known why
        if (turned || before?.Weight != Record.Last!.Weight || before?.Wish != Record.Last.Wish)
            Loop.OnChange(Record, turned);
    }

    private string AfterWhat()
    {
        Check check = Record.Check;
        string failures = check.Fall == 1 ? "1 failure" : $"{check.Fall} failures in a row";
        return Record.Cadence.IsFlapping && check.FlapHold is { } flap
            ? $"{failures}; {flap.Changes} changes within {InWords(flap.Window)}, so it stays down for {InWords(flap.Hold)}"
            : failures;
    }

    /// <summary>As it is written in the configuration: <c>2s</c>, <c>500ms</c>.</summary>
    private static string InWords(TimeSpan duration) =>
        duration.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{duration.TotalSeconds:0}s" : $"{duration.TotalMilliseconds:0.###}ms";
}
