using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Bascule.Proxy.Reactor;

/// <summary>
/// What an <c>async</c> method on the reactor returns. Like a value task, but made for one thread: continuations run at once, on the
/// spot; no execution context, no thread pool; and the memory of a suspended method comes from a pool of the thread that is
/// never too small. (The framework's pooling builder keeps a handful of boxes per core, so that sixty connections suspended in
/// the same method would allocate on every request.)
/// </summary>
/// <remarks>Await it exactly once, or start it with <see cref="Start"/>.</remarks>
[AsyncMethodBuilder(typeof(ReactorTaskMethodBuilder<>))]
internal readonly struct ReactorTask<T>
{
    private readonly ReactorTaskBox<T>? _box;
    private readonly T _result;

    internal ReactorTask(T result)
    {
        _box = null;
        _result = result;
    }

    internal ReactorTask(ReactorTaskBox<T> box)
    {
        _box = box;
        _result = default!;
    }

    public Awaiter GetAwaiter() => new(this);

    /// <summary>Lets a method run by itself: nobody awaits it. What it throws goes to <paramref name="onFault"/>.</summary>
    public void Start(Action<Exception> onFault)
    {
        if (_box is null)
            return;
        if (_box.IsCompleted)
            _box.Finish(onFault);
        else
            _box.OnCompleted(() => { }, onFault);
    }

    internal readonly struct Awaiter(ReactorTask<T> task) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => task._box is null || task._box.IsCompleted;

        public T GetResult() => task._box is null ? task._result : task._box.TakeResult();

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => task._box!.OnCompleted(continuation, onFault: null);
    }
}

/// <summary>Where a suspended method lives, and where its result waits to be taken.</summary>
internal abstract class ReactorTaskBox<T>
{
    private Action? _continuation;
    private Action<Exception>? _onFault;
    private Exception? _fault;
    private T _result = default!;

    protected ReactorTaskBox() => MoveNextAction = MoveNext;

    public Action MoveNextAction { get; }

    public bool IsCompleted { get; private set; }

    public void OnCompleted(Action continuation, Action<Exception>? onFault)
    {
        _continuation = continuation;
        _onFault = onFault;
    }

    public void Complete(T result)
    {
        _result = result;
        RunContinuation();
    }

    public void Fail(Exception fault)
    {
        _fault = fault;
        RunContinuation();
    }

    public T TakeResult()
    {
        (T result, Exception? fault) = (_result, _fault);
        Recycle();
        if (fault is not null)
            ExceptionDispatchInfo.Throw(fault);
        return result;
    }

    public void Finish(Action<Exception> onFault)
    {
        Exception? fault = _fault;
        Recycle();
        if (fault is not null)
            onFault(fault);
    }

    protected abstract void MoveNext();

    protected abstract void ReturnToPool();

    private void RunContinuation()
    {
        IsCompleted = true;
        if (_onFault is { } onFault)
            Finish(onFault);
        else
            _continuation?.Invoke();
    }

    private void Recycle()
    {
        IsCompleted = false;
        (_continuation, _onFault, _fault, _result) = (null, null, null, default!);
        ReturnToPool();
    }
}

/// <summary>The box of one particular method; its pool belongs to the thread.</summary>
internal sealed class ReactorTaskBox<T, TStateMachine> : ReactorTaskBox<T>
    where TStateMachine : IAsyncStateMachine
{
    [ThreadStatic]
    private static Stack<ReactorTaskBox<T, TStateMachine>>? _pool;

    private TStateMachine _stateMachine = default!;

    public static ReactorTaskBox<T, TStateMachine> Rent() =>
        _pool is { } pool && pool.TryPop(out ReactorTaskBox<T, TStateMachine>? box) ? box : new();

    public void Hold(ref TStateMachine stateMachine) => _stateMachine = stateMachine;

    protected override void MoveNext() => _stateMachine.MoveNext();

    protected override void ReturnToPool()
    {
        _stateMachine = default!;
        (_pool ??= new()).Push(this);
    }
}

/// <summary>A method that threw before it was ever suspended.</summary>
internal sealed class FaultedReactorTaskBox<T> : ReactorTaskBox<T>
{
    protected override void MoveNext() => throw new InvalidOperationException("A finished method cannot go on.");

    protected override void ReturnToPool()
    {
    }
}

/// <summary>What the compiler calls to build a <see cref="ReactorTask{T}"/>.</summary>
internal struct ReactorTaskMethodBuilder<T>
{
    private ReactorTaskBox<T>? _box;
    private T _result;

    public readonly ReactorTask<T> Task => _box is null ? new(_result) : new(_box);

    public static ReactorTaskMethodBuilder<T> Create() => default;

#pragma warning disable CA1822, IDE0060 // the compiler calls both on an instance, and passes what it passes

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

#pragma warning restore CA1822, IDE0060

    public void SetResult(T result)
    {
        if (_box is null)
            _result = result;
        else
            _box.Complete(result);
    }

    public void SetException(Exception exception)
    {
        _box ??= new FaultedReactorTaskBox<T>();
        _box.Fail(exception);
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.OnCompleted(Box(ref stateMachine).MoveNextAction);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.UnsafeOnCompleted(Box(ref stateMachine).MoveNextAction);

    private ReactorTaskBox<T> Box<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is not null)
            return _box;

        // The builder lies inside the state machine: it must know its box before the state machine is copied into it.
        ReactorTaskBox<T, TStateMachine> box = ReactorTaskBox<T, TStateMachine>.Rent();
        _box = box;
        box.Hold(ref stateMachine);
        return box;
    }
}
