using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Bascule.Core.Api;
using Bascule.Replication.Wire;
using Microsoft.Extensions.Logging;

namespace Bascule.Replication;

/// <summary>The channel to one peer: the connection of the moment, if there is one, and why not, if there is none.</summary>
internal sealed class PeerChannel
{
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<byte[]?>> _questions = new();
    private readonly long[] _rejected = new long[Enum.GetValues<Rejection>().Length];
    private ImmutableArray<StreamStatus> _streams = [];
    private Connection? _next;
    private Connection? _current;
    private string _whyNot;
    private bool _hasSaidWhyNot;
    private int _answering;

    public PeerChannel(ReplicationPeer peer, string node, ILogger log)
    {
        _log = log;
        Peer = peer;
        Dials = string.CompareOrdinal(node, peer.Name) < 0;
        Identity = Dials ? new(peer.Key, node, peer.Name) : new(peer.Key, peer.Name, node);
        _whyNot = Dials ? "not connected yet" : $"{peer.Name} has not connected yet";
    }

    public ReplicationPeer Peer { get; }

    /// <summary>Whether we open the connection: of two directors the one whose name comes first in the order of its UTF-16 units. So there is never one too many.</summary>
    public bool Dials { get; }

    public ChannelIdentity Identity { get; }

    /// <summary>The connection of the moment. For the engine's thread.</summary>
    public Connection? Current => _current;

    /// <summary>Whether connections from this address may be its.</summary>
    public bool IsAt(IPAddress address) => Peer.EndPoints.Any(e => e.Address.Equals(address));

    /// <summary>An authentic connection: in a moment the one that counts, for the other side had a reason to open a new one.</summary>
    public void Bring(Connection connection)
    {
        if (Interlocked.Exchange(ref _next, connection) is { } overtaken)
            overtaken.Close("a newer connection took its place");
    }

    /// <summary>Takes the new connection, and leaves what is closed. On the engine's thread.</summary>
    /// <returns>Whether there is another connection than before.</returns>
    public bool Settle()
    {
        if (_current is { WhyClosed: { } why, Closed.IsCompleted: true } closed)
            Leave(closed, why);
        if (Interlocked.Exchange(ref _next, null) is not { } next)
            return false;
        if (_current is { } old)
        {
            old.Close("a newer connection took its place");
            Leave(old, old.WhyClosed!);
        }

        Volatile.Write(ref _current, next);
        _hasSaidWhyNot = false;
        Log.Opened(_log, Peer.Name, $"{next.Address}");
        return true;
    }

    /// <summary>Notes how the streams stand, for <see cref="Status"/>. On the engine's thread.</summary>
    public void NoteStatus(ImmutableArray<StreamStatus> streams) => ImmutableInterlocked.InterlockedExchange(ref _streams, streams);

    /// <summary>An attempt failed. Said once, until there was a connection.</summary>
    public void Fail(string why)
    {
        Volatile.Write(ref _whyNot, why);
        if (_hasSaidWhyNot || Volatile.Read(ref _current) is not null)
            return;
        _hasSaidWhyNot = true;
        Log.NotOpened(_log, Peer.Name, why);
    }

    /// <summary>Counts what was turned away.</summary>
    public void Count(Rejection what) => Interlocked.Increment(ref _rejected[(int)what]);

    public ChannelStatus Status()
    {
        bool isConnected = Volatile.Read(ref _current) is { WhyClosed: null };
        return new()
        {
            IsConnected = isConnected,
            WhyNot = isConnected ? null : Volatile.Read(ref _whyNot),
            Streams = _streams,
            Rejected = Enum.GetValues<Rejection>().Where(r => Volatile.Read(ref _rejected[(int)r]) > 0)
                .ToImmutableSortedDictionary(r => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{r}"), r => Volatile.Read(ref _rejected[(int)r])),
        };
    }

    /// <summary>A question is on its way: its answer will come here, or null.</summary>
    public Task<byte[]?> Await(uint id) => _questions.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>The answer has come; null: it will not. One that nobody waits for any more is dropped.</summary>
    public void Answered(uint id, byte[]? answer)
    {
        if (_questions.TryRemove(id, out TaskCompletionSource<byte[]?>? waiting))
            waiting.TrySetResult(answer);
    }

    /// <summary>Begins to answer a question of the peer's.</summary>
    /// <returns>False while another is being answered.</returns>
    public bool TryBeginAnswer() => Interlocked.CompareExchange(ref _answering, 1, 0) == 0;

    /// <summary>The question has been answered.</summary>
    public void EndAnswer() => Volatile.Write(ref _answering, 0);

    private void Leave(Connection closed, string why)
    {
        if (closed.Rejected is { } what)
            Count(what);
        Volatile.Write(ref _whyNot, why);
        Volatile.Write(ref _current, null);
        _streams = [.. _streams.Select(s => s with { IsInStep = false })];
        Log.Closed(_log, Peer.Name, why);
        foreach (uint id in _questions.Keys)
            Answered(id, null);
        _ = closed.Closed.ContinueWith(_ => closed.Dispose(), TaskScheduler.Default);
    }
}
