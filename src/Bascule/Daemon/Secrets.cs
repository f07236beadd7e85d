using System.Text;
using Bascule.Core.Model;
using Bascule.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Bascule.Daemon;

/// <summary>Reads keys from where the configuration says they are.</summary>
internal static class Secrets
{
    /// <summary>Hexadecimal digits of the shortest key: 128 bits.</summary>
    private const int FewestDigits = 32;

    private const int MostDigits = 128;

    /// <summary>A key with white space around it; whatever is longer is no key.</summary>
    private const int MostBytes = 4096;

    private const UnixFileMode ForOthers = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>The key's bytes, 16 to 64.</summary>
    /// <param name="whyNot">Null on success; else a sentence that says what to do.</param>
    /// <returns>Null when it cannot be had, or others may read it: then it is none.</returns>
    public static byte[]? TryRead(SecretSource source, out string? whyNot) => source switch
    {
        GivenSecret given => TryDecode(given.Hex, "the key in the configuration", out whyNot),
        SecretFile file => TryReadFile(file.Path, out whyNot),
        _ => throw new ArgumentException($"no secret is read from a {source.GetType().Name}", nameof(source)),
    };

    /// <summary>All that a configuration names.</summary>
    /// <param name="problems">A sentence for each that cannot be had.</param>
    public static IReadOnlyDictionary<SecretSource, byte[]> Read(Configuration configuration, out string[] problems)
    {
        Dictionary<SecretSource, byte[]> read = [];
        List<string> unread = [];
        foreach (SecretSource source in SourcesOf(configuration).Distinct())
        {
            if (TryRead(source, out string? whyNot) is { } key)
                read.Add(source, key);
            else
                unread.Add($"ha: {whyNot}");
        }

        problems = [.. unread];
        return read;
    }

    /// <summary>Where the keys of a configuration are, each as often as it is written.</summary>
    public static IEnumerable<SecretSource> SourcesOf(Configuration configuration) => configuration.Ha is { } ha
        ? ha.Peers.Select(peer => peer.Key).Concat(ha.Instances.Select(i => i.Authentication).OfType<HmacAuthentication>().SelectMany(a => a.Keys).Select(key => key.Secret))
        : [];

    private static byte[]? TryReadFile(string path, out string? whyNot)
    {
        // A pipe could wait for ever for somebody to write.
        if (FileKinds.Of(path) is { } kind and not FileKind.Regular)
        {
            whyNot = $"the key file {path} is not a file but a {Word(kind)}";
            return null;
        }

        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            // Of what is open, not of the path: nobody can put another file there in between.
            if ((File.GetUnixFileMode(file) & ForOthers) != 0)
            {
                whyNot = $"the key file {path} may be read or written by others than its owner: `chmod 600 {path}`, and if it was so for long, write a new key";
                return null;
            }

            byte[] content = new byte[MostBytes];
            return TryDecode(Encoding.UTF8.GetString(content, 0, RandomAccess.Read(file, content, 0)), $"the key file {path}", out whyNot);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            whyNot = $"the key file {path} is not there: make one with `(umask 077; openssl rand -hex 32 > {path})` and copy it to the other director";
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            whyNot = $"the key file {path} cannot be read: {e.Message.TrimEnd('.')}";
            return null;
        }
    }

    private static byte[]? TryDecode(string text, string what, out string? whyNot)
    {
        string digits = text.Trim();
        if (digits.Length is < FewestDigits or > MostDigits || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
        {
            whyNot = $"{what} is not {FewestDigits} to {MostDigits} hexadecimal digits, an even number of them: `openssl rand -hex 32` writes one";
            return null;
        }

        whyNot = null;
        return Convert.FromHexString(digits);
    }

    private static string Word(FileKind kind) => kind switch
    {
        FileKind.Regular => "file",
        FileKind.Directory => "folder",
        FileKind.Pipe => "pipe",
        FileKind.Socket => "socket",
        FileKind.Device => "device",
    };
}
