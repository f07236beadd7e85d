using System.Globalization;
using System.Threading.Channels;
using Bascule.Core.Model;
using Microsoft.Extensions.Logging;

namespace Bascule.Notify;

/// <summary>
/// One receiver's notifications, in order, each delivered by one task of its own: a slow receiver delays neither the others nor what they are told
/// of. When <see cref="Capacity"/> wait, the oldest is dropped and counted: of a receiver that far behind, what is true now is wanted.
/// </summary>
internal sealed class Postbox : IAsyncDisposable
{
    /// <summary>Notifications that wait.</summary>
    public const int Capacity = 1024;

    private const int Attempts = 3;

    /// <summary>How long the rest may take to be told at the end.</summary>
    private static readonly TimeSpan ClosingPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly Channel<Letter> _waiting;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Carrier _carrier;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _delivering;
    private long _dropped;
    private long _saidDropped;

    public Postbox(Receiver receiver, Carrier carrier, TimeProvider time, ILogger logger)
    {
        (Receiver, _carrier, _time, _logger) = (receiver, carrier, time, logger);
        _waiting = Channel.CreateBounded<Letter>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Interlocked.Increment(ref _dropped));
        _delivering = Task.Run(DeliverAsync);
    }

    public Receiver Receiver { get; }

    /// <summary>Puts one in. Never waits.</summary>
    public void Put(Letter letter) => _waiting.Writer.TryWrite(letter);

    /// <summary>Takes no more, delivers what waits for up to five seconds, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAny(_delivering, Task.Delay(ClosingPatience, _time));
        await _giveUp.CancelAsync();
        await _delivering;
        _giveUp.Dispose();
        _carrier.Close();
    }

    private async Task DeliverAsync()
    {
        await foreach (Letter letter in _waiting.Reader.ReadAllAsync())
        {
            if (Interlocked.Read(ref _dropped) is var dropped && dropped > _saidDropped)
                Log.Dropped(_logger, Receiver.Name, dropped - _saidDropped);
            _saidDropped = dropped;
            string? why = await TryAsync(letter);
            if (why is not null)
                Log.NotTold(_logger, Receiver.Name, letter.Sentence, why);
        }
    }

    // What may have arrived although nobody said so is sent again with the same number, by which the receiver can tell.
    private async Task<string?> TryAsync(Letter letter)
    {
        string? why = null;
        for (int attempt = 1; attempt <= (_carrier.MayRepeat ? Attempts : 1); attempt++)
        {
            if (attempt > 1)
                await Task.Delay(RetryAfter, _time, _giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_giveUp.IsCancellationRequested)
                return why ?? "the director stopped first";
            why = await OnceAsync(letter);
            if (why is null)
                return null;
        }

        return why;
    }

    private async Task<string?> OnceAsync(Letter letter)
    {
        using CancellationTokenSource timeout = new(Receiver.Timeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _giveUp.Token);
        try
        {
            return await _carrier.DeliverAsync(letter, either.Token);
        }
        catch (OperationCanceledException)
        {
            return _giveUp.IsCancellationRequested ? "the director stopped first"
                : string.Create(CultureInfo.InvariantCulture, $"it took longer than {Receiver.Timeout.TotalSeconds:0.###} s");
        }
#pragma warning disable CA1031 // whatever goes wrong with one letter, the next is delivered
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e.Message;
        }
    }
}
