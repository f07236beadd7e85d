using System.Collections.Immutable;
using System.Text.Json;
using Bascule.Core.Api;

namespace Bascule.Vrrp.Engine;

/// <summary>What came and went. Written by the failover thread alone; others may read.</summary>
internal sealed class InstanceCounters
{
    private static readonly DecodeError[] Errors = Enum.GetValues<DecodeError>();

    private readonly long[] _rejected = new long[Errors.Length];

    public long Sent;
    public long NotSent;
    public long Received;
    public long ReceivedMessageOnly;
    public long OtherInterval;
    public long OtherAddresses;
    public long BecameActive;

    public void Reject(DecodeError why) => _rejected[(int)why]++;

    public VrrpCounters Read(long announced) => new()
    {
        Sent = Volatile.Read(ref Sent),
        NotSent = Volatile.Read(ref NotSent),
        Received = Volatile.Read(ref Received),
        ReceivedMessageOnly = Volatile.Read(ref ReceivedMessageOnly),
        ReceivedOtherInterval = Volatile.Read(ref OtherInterval),
        ReceivedOtherAddresses = Volatile.Read(ref OtherAddresses),
        BecameActive = Volatile.Read(ref BecameActive),
        Announced = announced,
        Rejected = Errors.Where(e => Volatile.Read(ref _rejected[(int)e]) > 0)
            .ToImmutableSortedDictionary(e => JsonNamingPolicy.CamelCase.ConvertName(e.ToString()), e => Volatile.Read(ref _rejected[(int)e])),
    };
}
