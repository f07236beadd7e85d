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
    public static ImmutableArray<Problem> Of(string path, Configuration configuration) =>
    [
        .. FilesWithSecrets(path, configuration).Distinct().Where(IsOpen).Select(file => Open(file, path)),
        .. Unread(configuration).OfType<Problem>().DistinctBy(p => p.What),
    ];

    /// <summary>Keys that are not there, or that the daemon refuses because others may read them.</summary>
    private static IEnumerable<Problem?> Unread(Configuration configuration)
    {
        foreach (SecretSource key in Secrets.SourcesOf(configuration))
            yield return Unread(key, "without it the director does not start");
        if (configuration.VirtualServers.Any(v => v.Persistence is CookiePersistence) && CookieKeys.FileBeside(configuration.StateFile) is var cookieKey && File.Exists(cookieKey))
            yield return Unread(new SecretFile(cookieKey), "without it clients with a cookie of before are scheduled anew");
    }

    private static Problem? Unread(SecretSource source, string hint) =>
        source is SecretFile && Secrets.TryRead(source, out string? whyNot) is null ? new(Location.Start, whyNot!, hint) : null;

    /// <summary>The files that hold a secret, as often as they do; the configuration where it stands there itself. Those of <see cref="Unread(Configuration)"/> are not among them.</summary>
    private static IEnumerable<string> FilesWithSecrets(string path, Configuration configuration)
    {
        bool isGiven = Secrets.SourcesOf(configuration).Any(key => key is GivenSecret)
            || configuration.Ha?.Instances.Any(i => i.Authentication is PasswordAuthentication) == true
            || configuration.Packets?.HashKey is GivenHashKey;
        if (isGiven)
            yield return path;
        if (configuration.Packets?.HashKey is HashKeyFile hashKey)
            yield return hashKey.Path;
        foreach (Password password in CheckParts.Of(configuration).SelectMany(PasswordsOf).OfType<Password>())
            yield return password is PasswordFile file ? file.Path : path;
    }

    private static Password?[] PasswordsOf(Check check) => check switch
    {
        LoginCheck login => [login.Password],
        RedisCheck redis => [redis.Password],
        SqlCheck sql => [sql.Password],
        RadiusCheck radius => [radius.Secret, radius.Password],
        _ => [],
    };

    private static bool IsOpen(string path)
    {
        try
        {
            return (File.GetUnixFileMode(path) & ForOthers) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // whoever needs it will hear why it is not there
        }
    }

    private static Problem Open(string file, string configuration) => file == configuration
        ? new(Location.Start, "the file holds secrets, and others than its owner may read it", $"`chmod 600 {file}`, or keep the secrets in files of their own")
        : new(Location.Start, $"{file} holds a secret, and others than its owner may read it", $"`chmod 600 {file}`, and if it was so for long, choose a new one");
}
