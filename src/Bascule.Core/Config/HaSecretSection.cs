using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>A secret in hexadecimal digits, or the file that holds them.</summary>
internal sealed class HaSecretSection
{
    /// <summary>What <see cref="GivenSecret"/> takes: 64 bytes, the block of SHA-256 (RFC 2104 §3: longer keys gain nothing).</summary>
    private const int MostDigits = 128;

    /// <summary>Between two directors.</summary>
    public static HaSecretSection Peer { get; } = new("key", "in `key` of a peer", 32, "/etc/bascule/ha.key");

    /// <summary>Of an HMAC trailer.</summary>
    public static HaSecretSection Hmac { get; } = new("hmacKey", "in a key of `hmac`", 64, "/etc/bascule/vrrp.key");

    private readonly int _leastDigits;

    private HaSecretSection(string title, string place, int leastDigits, string file)
    {
        _leastDigits = leastDigits;
        string words = $"{leastDigits} to {MostDigits} hexadecimal digits";
        Hex = new("hex", new TextForm(words, MostDigits, Digits))
        {
            Doc = $"The secret itself, two digits a byte. Whoever may read the configuration knows it; `openssl rand -hex 32` makes one.",
            Otherwise = "it stands in `file`",
            Source = "ours; there is no secret that everybody has",
            Example = $"hex: {string.Concat(Enumerable.Repeat("0123456789abcdef", 4))}",
            AlsoCalled = ["key", "secret", "password", "ascii"],
        };
        File = new("file", PathForms.File(file))
        {
            Doc = "A file that holds the secret in hexadecimal digits, read when the daemon starts.",
            Otherwise = "it stands in `hex`",
            Source = "ours; there is no secret that everybody has",
            Example = $"file: {file}",
            AlsoCalled = ["path", "keyFile"],
        };
        Section = new(title, Hex, File)
        {
            Doc = $"A secret: {words}, or the file that holds them.",
            Place = place,
            Short = Hex,
            HoldsSecrets = true,
            Rule = (name, fields, problems) => Relate(name, fields, problems),
        };
    }

    public Setting<string> Hex { get; }

    public Setting<string> File { get; }

    public Section Section { get; }

    public SecretSource Meant(Fields fields) => fields.Find(File) is { } file ? new SecretFile(file) : new GivenSecret(fields.Get(Hex));

    private void Relate(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Hex) && fields.IsWritten(File))
            problems.Add(fields.AtOf(File), "`hex` and `file` say two things about one secret", "keep one of them");
        else if (!fields.IsWritten(Hex) && !fields.IsWritten(File) && !problems.IsPartial)
            problems.Add(fields.At, $"`{name}` does not say what the secret is", $"add `{File.Example}`, and `openssl rand -hex 32` as its content");
    }

    // Never quotes what was written: it may be most of the secret.
    private Complaint? Digits(string name, string text) =>
        text.Length < _leastDigits || text.Length > MostDigits || text.Length % 2 != 0 || !text.All(char.IsAsciiHexDigit)
            ? new($"`{name}` is not an even number of {_leastDigits} to {MostDigits} hexadecimal digits", "`openssl rand -hex 32` makes them")
            : null;
}
