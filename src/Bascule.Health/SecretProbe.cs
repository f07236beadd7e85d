using System.Text;
using Bascule.Core.Model;
using Bascule.Linux.Files;

namespace Bascule.Health;

/// <summary>Reads the password, and asks with it. When it cannot be read, that is the director's trouble, and no real server's.</summary>
/// <param name="source">Null: there is none.</param>
/// <param name="probe">The probe that knows it.</param>
internal sealed class SecretProbe(Password? source, Func<string?, Probe> probe) : Probe
{
    private const int Longest = 4096;

    private Probe? _probe;
    private string? _password;

    /// <inheritdoc/>
    public override Task<Verdict> AskAsync(uint mark, CancellationToken cancellation)
    {
        string? password;
        try
        {
            password = source switch
            {
                GivenPassword given => given.Text,
                PasswordFile file => FirstLine(file.Path),
                _ => null,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Task.FromResult(Verdict.NotAsked($"the password cannot be read: {e.Message.TrimEnd('.')}"));
        }

        if (_probe is null || password != _password)
            (_probe, _password) = (probe(password), password);
        return _probe.AskAsync(mark, cancellation);
    }

    private static string FirstLine(string path)
    {
        if (FileKinds.Of(path) is not (null or FileKind.Regular)) // a pipe could wait for ever for somebody to write
            throw new IOException($"{path} is no file");
        using FileStream file = File.OpenRead(path);
        byte[] content = new byte[Longest];
        int length = file.ReadAtLeast(content, Longest, throwOnEndOfStream: false);
        string line = Encoding.UTF8.GetString(content, 0, length).Split('\n', 2)[0].TrimEnd('\r');
        return line.Length > 0 ? line : throw new IOException($"the first line of {path} is empty");
    }
}
