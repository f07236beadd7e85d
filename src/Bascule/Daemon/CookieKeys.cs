using System.Security.Cryptography;
using Bascule.Core.Model;
using Bascule.Core.Sessions;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>
/// The key that signs the cookies of persistence. Where directors share a secret it follows from that, so that each understands the others' cookies; a director
/// alone makes one and keeps it beside its state file, so that its clients return after a restart too.
/// </summary>
/// <param name="stateFile">Whole path of the state file in force.</param>
internal sealed class CookieKeys(string stateFile, ILogger log)
{
    private const string FileName = "cookie.key";

    private CookieKey? _key;

    /// <summary>Where a director alone keeps it.</summary>
    /// <param name="stateFile">Whole path of the state file in force.</param>
    public static string FileBeside(string stateFile) => Path.Combine(Path.GetDirectoryName(stateFile)!, FileName);

    /// <summary>The configuration with the key in it. The key is found when a configuration first needs it, and is the same from then on.</summary>
    public Configuration Resolve(Configuration configuration)
    {
        if (!configuration.VirtualServers.Any(v => v.Persistence is CookiePersistence))
            return configuration;
        _key ??= Find(configuration);
        return configuration with { CookieKey = _key };
    }

    private CookieKey Find(Configuration configuration)
    {
        string? whyNot = null;
        SecretSource? source = configuration.Ha?.KeyPeer?.Key ?? OwnFile(out whyNot);
        if (source is not null && Secrets.TryRead(source, out whyNot) is { } secret)
            return CookieKey.Derive(secret);
        Log.CookieKeyIsNotKept(log, whyNot!);
        return CookieKey.OfThisProcess;
    }

    /// <returns>Null where it is not there and cannot be written.</returns>
    private SecretFile? OwnFile(out string? whyNot)
    {
        string path = FileBeside(stateFile);
        whyNot = null;
        try
        {
            if (!File.Exists(path))
            {
                AtomicFile.CreateFolder(Path.GetDirectoryName(path)!);
                AtomicFile.Write(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(CookieKey.Size)) + "\n");
            }

            return new(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            whyNot = $"{path} cannot be written: {e.Message.TrimEnd('.')}";
            return null;
        }
    }
}
