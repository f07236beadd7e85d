using System.Collections.Immutable;
using Bascule.Core.Model;
using Microsoft.Extensions.Logging;

namespace Bascule.Notify;

/// <summary>Tells every receiver that wants to know of each change of state: once, in the order in which they were told to it.</summary>
public sealed class Notifier : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly string _node;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<Task> _closing = [];
    private ImmutableArray<Postbox> _postboxes = [];
    private long _number;

    /// <summary>Tells nobody yet.</summary>
    /// <param name="node">This director's name.</param>
    /// <param name="time">For timeouts and pauses.</param>
    /// <param name="loggers">Takes what could not be told.</param>
    public Notifier(string node, TimeProvider time, ILoggerFactory loggers)
    {
        (_node, _time) = (node, time);
        _logger = loggers.CreateLogger<Notifier>();
    }

    /// <summary>From now on these are told. One that is as it was keeps what waits for it; one that is gone is told the rest first.</summary>
    public void Apply(IReadOnlyCollection<Receiver> receivers)
    {
        lock (_lock)
        {
            Dictionary<Receiver, Postbox> before = _postboxes.ToDictionary(p => p.Receiver);
            _postboxes = [.. receivers.Select(r => before.Remove(r, out Postbox? same) ? same : new(r, Carrier.For(r, _time), _time, _logger))];
            _closing.RemoveAll(task => task.IsCompleted);
            _closing.AddRange(before.Values.Select(p => p.DisposeAsync().AsTask()));
        }
    }

    /// <summary>Tells who wants to know. Never waits; may be called from any thread.</summary>
    public void Tell(Notification notification)
    {
        lock (_lock) // numbers and order are the same for all
        {
            Letter letter = new(++_number, _node, notification);
            foreach (Postbox postbox in _postboxes)
            {
                if (postbox.Receiver.On.Contains(notification.Type) && postbox.Receiver.Way.IsFor(notification))
                    postbox.Put(letter);
            }
        }
    }

    /// <summary>Tells what waits, for up to five seconds, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        Apply([]);
        Task[] closing;
        lock (_lock)
            closing = [.. _closing];
        await Task.WhenAll(closing);
    }
}
