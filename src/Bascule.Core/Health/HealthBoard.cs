using System.Collections.Concurrent;
using System.Net;
using Bascule.Core.Model;

namespace Bascule.Core.Health;

/// <summary>
/// Who is well. The health engine writes, everyone else reads. Virtual servers that ask the same question of the same real
/// server share one record, and so one check.
/// </summary>
public sealed class HealthBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<(Check, IPEndPoint, IPEndPoint?), HealthRecord> _records = new();

    /// <summary>The clock its records go by.</summary>
    internal TimeProvider Time => time;

    /// <summary>The record for this question to this real server, made when it is new. Null for no check.</summary>
    /// <param name="wasUp">
    /// A new record begins as up: the real server was up until now, by the answers to another question, and is not taken out only because the
    /// question changed.
    /// </param>
    /// <param name="through">
    /// The virtual address on whose way the check goes where it can, because the real server may be reached by one and not by another; null: it goes
    /// straight to the real server.
    /// </param>
    public HealthRecord? Find(Check? check, IPEndPoint realServer, bool wasUp = false, IPEndPoint? through = null) =>
        check is null ? null : _records.GetOrAdd((check, realServer, through), key => new(key.Item1, key.Item2, time.GetUtcNow(), wasUp || key.Item1.BeginsUp));

    /// <summary>Forgets the records that no virtual server of the snapshot reads any more.</summary>
    public void Forget(Snapshot snapshot)
    {
        foreach (((Check, IPEndPoint, IPEndPoint?) key, HealthRecord record) in _records)
        {
            if (snapshot.PlacesOf(record).Count == 0)
                _records.TryRemove(key, out _);
        }
    }
}
