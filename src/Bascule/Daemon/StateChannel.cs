using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.Replication;
using Bascule.Replication;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>What keeps the peers in step, put together from the configuration.</summary>
internal static class StateChannel
{
    /// <summary>The peers with their keys.</summary>
    /// <param name="problems">Takes each reason why a key cannot be had.</param>
    /// <returns>Empty where there are none, and where there is a problem.</returns>
    public static ImmutableArray<ReplicationPeer> Peers(Configuration configuration, ICollection<string> problems)
    {
        ImmutableArray<ReplicationPeer>.Builder peers = ImmutableArray.CreateBuilder<ReplicationPeer>();
        foreach (HaPeer peer in configuration.Ha?.Peers ?? [])
        {
            if (Secrets.TryRead(peer.Key, out string? whyNot) is { } key)
                peers.Add(new(peer.Name, [.. peer.Addresses.Select(a => new IPEndPoint(a, configuration.Ha!.Port))], key));
            else
                problems.Add($"ha: peer {peer.Name}: {whyNot}");
        }

        return problems.Count == 0 ? peers.ToImmutable() : [];
    }

    /// <summary>The engine, not yet started; null where there is nobody to keep in step with.</summary>
    /// <param name="shared">Answers peers about the configuration; null while it is not shared.</param>
    public static ReplicationEngine? Build(Configuration configuration, ImmutableArray<ReplicationPeer> peers, IEnumerable<IReplicatedState> states,
        Func<SharedConfiguration?> shared, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        if (peers.IsEmpty)
            return null;
        IPEndPoint everywhere = new(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, configuration.Ha!.Port);
        return new(NodeOf(configuration), peers, everywhere, states, time, random, loggers.CreateLogger<ReplicationEngine>())
        {
            Answer = (peer, question) => shared()?.AnswerAsync(peer, question) ?? Task.FromResult<byte[]>([]),
            Opened = peer => shared()?.BeginCompare(peer),
        };
    }

    /// <summary>This director's name.</summary>
    public static string NodeOf(Configuration configuration) => configuration.Node ?? Environment.MachineName;

    /// <summary>The same status, with more to read.</summary>
    public static HaStatus WithWarnings(this HaStatus status, IEnumerable<string>? warnings) =>
        status with { Warnings = [.. status.Warnings, .. warnings ?? []] };

    /// <summary>The same status, with how the channel to each peer stands.</summary>
    public static HaStatus WithChannels(this HaStatus status, ReplicationEngine? channel) =>
        channel is null ? status : status with { Peers = [.. status.Peers.Select(p => p with { Channel = channel.Status(p.Name) })] };
}
