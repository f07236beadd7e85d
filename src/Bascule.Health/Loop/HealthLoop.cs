using System.Buffers;
using System.Collections.Concurrent;
using Bascule.Core.Health;
using Bascule.Linux;
using Bascule.Linux.Epoll;
using Microsoft.Extensions.Logging;

namespace Bascule.Health.Loop;

/// <summary>
/// One thread, one epoll set, and the checks that live on them. Other threads only <see cref="Post"/>. Code on the loop never blocks.
/// </summary>
internal sealed class HealthLoop : IDisposable
{
    private const int EventsPerWait = 512;
    private const int BeginsPerTurn = 256; // then answers have their turn: after a pause every check is due
    private const double MostJitter = 0.1; // of the interval, either way; the mean stays
    private const ulong Mailbox = ulong.MaxValue;

    /// <summary>At the end, for probes to return. Their threads end with the process.</summary>
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(3);

    private readonly Random _random;
    private readonly Alarm _alarm;
    private readonly EpollSet _epoll = new(EventsPerWait);
    private readonly WakeUp _wakeUp = new();
    private readonly ConcurrentQueue<Action> _mail = new();
    private readonly Stack<int> _freeSlots = new();
    private RunningCheck?[] _slots = new RunningCheck?[64];
    private uint[] _generations = new uint[64];
    private int _usedSlots;
    private long _rings;
    private long _restsSince = -1;
    private TimeSpan? _endsBy; // null: it is not stopping
    private bool _isClosed;

    public HealthLoop(TimeProvider time, Random random, ILogger logger)
    {
        Time = time;
        _random = random;
        Logger = logger;
        _alarm = new(time, Ring);
        _epoll.AddReadable(_wakeUp.Descriptor, Mailbox);
    }

    /// <summary>Called when a record has changed; see <see cref="HealthEngine"/>. The second: whether it went up or down.</summary>
    public required Action<HealthRecord, bool> OnChange { get; init; }

    /// <summary>Called when one more check has been asked for the first time.</summary>
    public required Action OnFirstAnswer { get; init; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    /// <summary>Since the loop was made.</summary>
    public TimeSpan Now => _alarm.Now;

    public DeadlineHeap Deadlines { get; } = new();

    public AnswerCache Answers { get; } = new();

    /// <summary>For what must be kept until more has come. The shared pool keeps a handful of each size, and hundreds of answers may be half here at a time.</summary>
    public ArrayPool<byte> Memory { get; } = ArrayPool<byte>.Create(maxArrayLength: 128 * 1024, maxArraysPerBucket: 128);

    /// <summary>What has just been received, for whoever is receiving.</summary>
    public byte[] Scratch { get; } = new byte[64 * 1024];

    /// <summary>Questions that are out.</summary>
    public int Asking { get; set; }

    /// <summary>Probes that have not returned, abandoned ones included.</summary>
    public int ProbesOut { get; set; }

    /// <summary>No question is out, none is due, and there is no mail. From any thread; for a clock that is moved by hand.</summary>
    public bool IsResting => Volatile.Read(ref _restsSince) == Volatile.Read(ref _rings);

    /// <summary>By how much of itself the next interval is longer or shorter.</summary>
    public double Jitter() => MostJitter * ((2 * _random.NextDouble()) - 1);

    /// <summary>From 0 to 1.</summary>
    public double Chance() => _random.NextDouble();

    /// <summary>Runs something on the loop's thread; nothing, once the loop has ended. From any thread.</summary>
    public void Post(Action action)
    {
        _mail.Enqueue(action);
        Ring();
    }

    /// <summary>Turns until <see cref="Stop"/>, and until every probe has returned or has had its time for that.</summary>
    public void Run()
    {
        while (!HasEnded)
            Turn();
    }

    /// <summary>On the loop's thread.</summary>
    public void Stop() => _endsBy ??= Now + LongestGoodbye;

    /// <summary>Tells the check whenever the descriptor becomes ready for something.</summary>
    public Errno Watch(RunningCheck check, int descriptor)
    {
        check.Slot = TakeSlot();
        _slots[check.Slot] = check;
        try
        {
            _epoll.AddEdgeTriggered(descriptor, (uint)check.Slot | ((ulong)_generations[check.Slot] << 32));
            return Errno.None;
        }
        catch (KernelException e)
        {
            return e.Errno; // the user watches as many descriptors as the system allows
        }
    }

    /// <summary>The descriptor is about to be closed. Events of it that this turn still holds go nowhere.</summary>
    public void Unwatch(RunningCheck check)
    {
        if (check.Slot < 0)
            return;
        _slots[check.Slot] = null;
        _generations[check.Slot]++;
        _freeSlots.Push(check.Slot);
        check.Slot = -1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _alarm.Dispose();
        lock (_mail)
        {
            _isClosed = true; // the number of a closed descriptor may soon belong to a file or a connection
            _wakeUp.Dispose();
        }

        _epoll.Dispose();
    }

    private bool HasEnded => _endsBy is { } end && (ProbesOut == 0 || end <= Now);

    private void Turn()
    {
        long rings = Volatile.Read(ref _rings);
        ReadMail();
        BeginWhatIsDue();
        int sleep = HasEnded ? 0 : _alarm.SleepUntil(_endsBy ?? Deadlines.FirstDeadline);
        Volatile.Write(ref _restsSince, Asking == 0 && sleep != 0 ? rings : -1);
        int count = _epoll.Wait(sleep);
        for (int i = 0; i < count; i++)
            Tell(_epoll.Token(i), _epoll.Flags(i));
    }

    private void Tell(ulong token, Readiness readiness)
    {
        if (token == Mailbox)
        {
            _wakeUp.Clear();
            return;
        }

        int slot = (int)(uint)token;
        if (_generations[slot] == (uint)(token >> 32) && _slots[slot] is { } check)
            Guard(check, static (c, r) => c.OnReady(r), readiness);
    }

    private void BeginWhatIsDue()
    {
        for (int i = 0; i < BeginsPerTurn && Deadlines.FirstDeadline <= Now; i++)
            Guard((RunningCheck)Deadlines.First!, static (c, _) => c.OnDeadline(), Readiness.None);
    }

    private static void Guard(RunningCheck check, Action<RunningCheck, Readiness> step, Readiness readiness)
    {
        try
        {
            step(check, readiness);
        }
#pragma warning disable CA1031 // One check that breaks must not end the others.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            check.Break(unexpected);
        }
    }

    private void ReadMail()
    {
        while (_mail.TryDequeue(out Action? action))
        {
            try
            {
                action();
            }
#pragma warning disable CA1031 // One of them that breaks must not end the checks of all.
            catch (Exception unexpected)
#pragma warning restore CA1031
            {
                Log.ChecksBroke(Logger, unexpected);
            }
        }
    }

    private int TakeSlot()
    {
        if (_freeSlots.TryPop(out int free))
            return free;
        if (_usedSlots == _slots.Length)
        {
            Array.Resize(ref _slots, _usedSlots * 2);
            Array.Resize(ref _generations, _usedSlots * 2);
        }

        return _usedSlots++;
    }

    private void Ring()
    {
        Interlocked.Increment(ref _rings);
        lock (_mail)
        {
            if (!_isClosed)
                _wakeUp.Signal();
        }
    }
}
