using System.Collections.Immutable;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Daemon;

namespace Bascule;

/// <summary>What only the machine itself can tell about the secrets of a configuration: whether they are there, and whom else they are open to.</summary>
internal static class SecretWarnings
{
    private const UnixFileMode ForOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Warnings about the whole file.</summary>
    /// <param name="path">The configuration file.</param>
    public static ImmutableArray<Problem> Of(string path, Configuration configuration)
    {
        if (configuration.Ha is not { } ha)
            return [];
        IEnumerable<Problem?> unread =
        [
            .. ha.Peers.Select(p => Unread(p.Key, "without it the director does not start")),
            .. ha.Instances.SelectMany(i => Keys(i).Select(k => Unread(k.Secret, "without it the director does not start"))),
        ];
        return [.. HoldsSecrets(ha) && IsOpen(path) ? [Open(path)] : (Problem[])[], .. unread.OfType<Problem>().DistinctBy(p => p.What)];
    }

    private static ValueList<HmacKey> Keys(HaInstance instance) => instance.Authentication is HmacAuthentication hmac ? hmac.Keys : [];

    private static Problem? Unread(SecretSource source, string hint) =>
        source is SecretFile && Secrets.TryRead(source, out string? whyNot) is null ? new(Location.Start, whyNot!, hint) : null;

    private static bool HoldsSecrets(HaSettings ha) =>
        ha.Peers.Any(p => p.Key is GivenSecret) || ha.Instances.Any(i => i.Authentication is PasswordAuthentication || Keys(i).Any(k => k.Secret is GivenSecret));

    private static bool IsOpen(string path)
    {
        try
        {
            return (File.GetUnixFileMode(path) & ForOthers) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it was there a moment ago: whoever runs it will hear why it is not
        }
    }

    private static Problem Open(string path) =>
        new(Location.Start, "the file holds secrets, and others than its owner may read it", $"`chmod 600 {path}`, or keep the secrets in files of their own");
}
