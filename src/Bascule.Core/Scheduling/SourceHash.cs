using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Scheduling;

/// <summary>
/// <c>sh</c>: by the client's address, so that a client meets the same real server again. 256 buckets are filled with runs of each
/// real server's weight, in the order of the list, over and over; the address is hashed to a bucket.
/// </summary>
/// <remarks>
/// <para>
/// Same hash and same buckets as IPVS without flags. There a connection whose bucket's real server is unusable is refused; a proxy
/// must be able to try another, so the buckets are then probed as IPVS does with <c>sh-fallback</c>: from an offset that depends on the
/// first bucket, which spreads the clients of a lost real server over the others.
/// </para>
/// <para>
/// The weights are those at construction: only a reload moves clients, quiescing a real server moves no one else's. A weight of 0
/// gets no bucket (IPVS gives it one and refuses the clients that hash to it). Weights that add up to more than 256 leave those at
/// the end of the list short, as in IPVS. A real server without a bucket is a last resort, in the order of the list.
/// </para>
/// </remarks>
public sealed class SourceHash : Scheduler
{
    private const int BucketBits = 8;
    private const int Buckets = 1 << BucketBits;
    private const uint GoldenRatio = 0x61C88647; // 2^32 × (1 - 1/φ), the kernel's hash_32

    private readonly int[] _buckets; // empty when no weight is above 0

    /// <summary>Over these real servers, with the weights that will be in force.</summary>
    public SourceHash(ImmutableArray<LiveRealServer> realServers, ReadOnlySpan<int> weights)
        : base(realServers) => _buckets = Fill(weights);

    /// <inheritdoc/>
    public override int Pick(in ClientAddress client, in TriedServers tried, Random random)
    {
        if (_buckets.Length > 0)
        {
            int bucket = BucketOf(client);
            if (IsUsable(_buckets[bucket], tried))
                return _buckets[bucket];

            for (int offset = 0; offset < Buckets; offset++)
            {
                int index = _buckets[(bucket + bucket + offset) % Buckets];
                if (IsUsable(index, tried))
                    return index;
            }
        }

        return FirstUsable(tried);
    }

    private int FirstUsable(in TriedServers tried)
    {
        for (int index = 0; index < RealServers.Length; index++)
        {
            if (IsUsable(index, tried))
                return index;
        }

        return None;
    }

    private static int BucketOf(in ClientAddress client)
    {
        uint folded = (uint)client.Low;
        if (!client.IsIpv4)
            folded ^= (uint)(client.Low >> 32) ^ (uint)client.High ^ (uint)(client.High >> 32);
        return (int)(unchecked(folded * GoldenRatio) >> (32 - BucketBits));
    }

    private static int[] Fill(ReadOnlySpan<int> weights)
    {
        if (weights.IndexOfAnyExcept(0) < 0)
            return [];

        int[] buckets = new int[Buckets];
        int next = 0;
        while (next < Buckets)
        {
            for (int index = 0; index < weights.Length; index++)
            {
                for (int run = 0; run < weights[index] && next < Buckets; run++)
                    buckets[next++] = index;
            }
        }

        return buckets;
    }
}
