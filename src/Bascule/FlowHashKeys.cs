using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Daemon;

namespace Bascule;

/// <summary>Finds out the key of the keyed hash where directors that back each other up derive it from the secret they share.</summary>
internal static class FlowHashKeys
{
    /// <summary>
    /// The configuration with the key in it. One whose secret cannot be read is left as it is: the packet datapath says so when it starts.
    /// </summary>
    public static Configuration Resolve(Configuration configuration) =>
        configuration.Packets is { HashKey: SharedHashKey shared } packets && Secrets.TryRead(shared.Secret, out _) is { } secret
            ? configuration with { Packets = packets with { HashKey = new GivenHashKey(FlowHashKey.Derive(secret)) } }
            : configuration;
}
