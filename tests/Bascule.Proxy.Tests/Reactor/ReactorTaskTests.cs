using System.Runtime.CompilerServices;
using Bascule.Proxy.Reactor;

namespace Bascule.Proxy.Tests.Reactor;

public sealed class ReactorTaskTests
{
    private readonly List<int> _results = [];
    private readonly List<Exception> _faults = [];

    [Fact]
    public void Gives_the_result_of_a_method_that_never_waits()
    {
        Start(AtOnce());

        Assert.Equal([7], _results);

        static async ReactorTask<int> AtOnce() => await Seven();
    }

    [Fact]
    public void Gives_the_result_when_the_wait_is_over_and_not_before()
    {
        Signal signal = new();
        Start(Add(signal, 40, 2));
        Assert.Empty(_results);

        signal.Fire();

        Assert.Equal([42], _results);
    }

    [Fact]
    public void Passes_results_up_through_methods_that_await_each_other()
    {
        Signal signal = new();
        Start(Nested(signal, depth: 50));

        for (int i = 0; i < 51; i++)
            signal.Fire();

        Assert.Equal([50], _results);
        Assert.Empty(_faults);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_method_throws_reaches_whoever_awaits_it(bool afterWaiting)
    {
        Signal signal = new();
        Start(Catching(signal, afterWaiting));

        signal.Fire();

        Assert.Equal([-1], _results);
        Assert.Empty(_faults);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_started_method_throws_is_told_once(bool afterWaiting)
    {
        Signal signal = new();
        Throwing(signal, afterWaiting).Start(_faults.Add);

        signal.Fire();

        Assert.Equal("broken", Assert.Single(_faults).Message);
    }

    [Fact]
    public void A_result_that_is_there_before_it_is_awaited_is_taken_all_the_same()
    {
        Signal signal = new();
        ReactorTask<int> early = Add(signal, 1, 2);
        signal.Fire();

        Start(early);

        Assert.Equal([3], _results);
    }

    [Fact]
    public void Memory_that_a_fault_went_through_is_clean_for_the_next_method()
    {
        for (int round = 0; round < 10; round++)
        {
            Signal signal = new();
            Throwing(signal, afterWaiting: true).Start(_faults.Add);
            signal.Fire();
            Start(Throwing(signal, afterWaiting: false, fails: false));
            Start(Throwing(signal, afterWaiting: true, fails: false));
            signal.Fire();
        }

        Assert.Equal(10, _faults.Count);
        Assert.Equal(Enumerable.Repeat(0, 20), _results);
    }

    [Fact]
    public void A_method_that_starts_another_of_its_kind_as_it_ends_does_not_disturb_it()
    {
        Signal first = new(), second = new();
        Start(ThenStart(first, () => Start(Add(second, 20, 2))));

        first.Fire();
        second.Fire();

        Assert.Equal([1, 22], _results);
    }

    [Fact]
    public void Each_of_a_thousand_suspended_at_once_gets_its_own_result()
    {
        Signal[] signals = [.. Enumerable.Range(0, 1000).Select(_ => new Signal())];
        Random random = new(1);
        for (int round = 0; round < 3; round++)
        {
            _results.Clear();
            int[] order = [.. Enumerable.Range(0, signals.Length)];
            random.Shuffle(order);
            for (int i = 0; i < signals.Length; i++)
                Start(Add(signals[i], i, 0));

            foreach (int i in order)
                signals[i].Fire();

            Assert.Equal(order, _results);
        }
    }

#if !DEBUG // there the compiler makes every async method a class of its own
    [Fact]
    public void A_hundred_suspended_at_once_cost_no_allocation_once_they_have_been_before()
    {
        Signal[] signals = [.. Enumerable.Range(0, 100).Select(_ => new Signal())];
        Action<Exception> onFault = _faults.Add;
        long sum = 0;
        void Round()
        {
            foreach (Signal signal in signals)
                Nested(signal, depth: 3).Start(onFault);
            for (int i = 0; i < 4; i++)
            {
                foreach (Signal signal in signals)
                    signal.Fire();
            }

            sum++;
        }

        for (int i = 0; i < 100; i++)
            Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Round();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200, sum);
        Assert.Empty(_faults);
    }
#endif

    private static async ReactorTask<int> Seven() => await Add(Signal.Fired, 3, 4);

    private static async ReactorTask<int> Add(Signal signal, int a, int b)
    {
        await signal;
        return a + b;
    }

    private static async ReactorTask<int> Nested(Signal signal, int depth)
    {
        int below = depth == 0 ? -1 : await Nested(signal, depth - 1);
        await signal;
        return below + 1;
    }

    private static async ReactorTask<int> Throwing(Signal signal, bool afterWaiting, bool fails = true)
    {
        if (afterWaiting)
            await signal;
        return fails ? throw new InvalidOperationException("broken") : 0;
    }

    private static async ReactorTask<int> Catching(Signal signal, bool afterWaiting)
    {
        try
        {
            return await Throwing(signal, afterWaiting);
        }
        catch (InvalidOperationException)
        {
            return -1;
        }
    }

    private static async ReactorTask<int> ThenStart(Signal signal, Action next)
    {
        int result = await Add(signal, 0, 1);
        next();
        return result;
    }

    private void Start(ReactorTask<int> task) => Note(task).Start(_faults.Add);

    private async ReactorTask<bool> Note(ReactorTask<int> task)
    {
        _results.Add(await task);
        return true;
    }

    /// <summary>A wait that a test ends by hand, again and again.</summary>
    private sealed class Signal : ICriticalNotifyCompletion
    {
        private Action? _continuation;

        public static Signal Fired { get; } = new() { IsCompleted = true };

        public bool IsCompleted { get; private init; }

        public Signal GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => _continuation = continuation;

        public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

        public void Fire()
        {
            Action? continuation = _continuation;
            _continuation = null;
            continuation?.Invoke();
        }
    }
}
