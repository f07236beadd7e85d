using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>As whom a check is made: the same for every kind that logs in.</summary>
internal static class CheckLogin
{
    public static readonly Setting<string> User = new("user", CheckTexts.Plain("a name", 253))
    {
        Doc = "redis, mysql, postgres, imap, pop3, ftp, ldap, radius: who logs in, best somebody who may do nothing else. For ldap it is the entry's whole name. script: the user of this machine, by name or number, as whom the program runs, with that user's groups; the daemon must be root then.",
        Otherwise = "nobody logs in: it is enough that the server says the first word; a script runs as the daemon's user",
        Source = "HAProxy option pgsql-check and mysql-check: user",
        Example = "user: bascule",
        AlsoCalled = ["login", "username", "bindDn", "script_user"],
    };

    public static readonly Setting<Fields> Password = new("password", PasswordSection.Password.Section)
    {
        Doc = "The password of `user`: itself, or the file that holds it. It is sent as the protocol sends it: for most in the clear, unless `tls` encrypts it.",
        Otherwise = "none",
        Source = "ldirectord passwd",
        Example = "password: { file: /etc/bascule/check.password }",
        AlsoCalled = ["passwd", "pass"],
    };

    public static readonly ImmutableArray<Setting> Settings = [User, Password];

    /// <summary>The password; null where none is written.</summary>
    public static Password? Meant(Fields fields) => fields.Find(Password) is { } written ? PasswordSection.Password.Meant(written) : null;

    /// <summary>The password, where the file says it itself.</summary>
    public static string? Given(Fields fields) => fields.Find(Password) is { } written ? PasswordSection.Password.Given(written) : null;

    /// <summary>Complains when something is written that takes place only after a login.</summary>
    public static void Relate(Fields fields, ProblemList problems, params ImmutableArray<Setting> afterwards)
    {
        foreach (Setting setting in ((ImmutableArray<Setting>)[Password, .. afterwards]).Where(setting => fields.IsWritten(setting) && !fields.IsWritten(User)))
            problems.Add(fields.AtOf(setting), $"`{setting.Name}` is written, but nobody logs in", $"add `{User.Example}`");
    }
}

/// <summary>A password, or the file that holds it.</summary>
internal sealed class PasswordSection
{
    private const int Longest = 1024;

    /// <summary>Of a user.</summary>
    public static PasswordSection Password { get; } = new("checkPassword", "password");

    /// <summary>That two machines share.</summary>
    public static PasswordSection Secret { get; } = new("checkSecret", "secret");

    private readonly Setting<string> _text;
    private readonly Setting<string> _file;

    private PasswordSection(string title, string word)
    {
        _text = new("text", new TextForm($"the {word}, 1 to {Longest} characters", Longest, Printable))
        {
            Doc = $"The {word} itself. Whoever may read the configuration knows it.",
            Otherwise = "it stands in `file`",
            Source = "ours; there is no secret that everybody has",
            Example = "text: geheim",
            AlsoCalled = ["value"],
        };
        _file = new("file", PathForms.File($"/etc/bascule/check.{word}"))
        {
            Doc = $"A file whose first line is the {word}, read for each check.",
            Otherwise = "it stands in `text`",
            Source = "ours; there is no secret that everybody has",
            Example = $"file: /etc/bascule/check.{word}",
            AlsoCalled = ["path"],
        };
        Section = new(title, _text, _file)
        {
            Doc = $"The {word} of a check: itself, or the file that holds it.",
            Place = $"in `{word}` of a check",
            Short = _text,
            HoldsSecrets = true,
            Rule = (name, fields, problems) => Relate(name, fields, problems),
        };
    }

    /// <summary>As written.</summary>
    public Section Section { get; }

    /// <summary>As meant.</summary>
    public Password Meant(Fields fields) => fields.Find(_file) is { } file ? new PasswordFile(file) : new GivenPassword(fields.Get(_text));

    /// <summary>The text, where it is written itself.</summary>
    public string? Given(Fields fields) => fields.Find(_text);

    private void Relate(string name, Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(_text) && fields.IsWritten(_file))
            problems.Add(fields.AtOf(_file), $"`text` and `file` say two things about one {name}", "keep one of them");
        else if (!fields.IsWritten(_text) && !fields.IsWritten(_file) && !problems.IsPartial)
            problems.Add(fields.At, $"`{name}` does not say what it is", $"add `{_file.Example}`");
    }

    // Never quotes what was written.
    private static Complaint? Printable(string name, string text) =>
        text.Any(char.IsControl) ? new($"`{name}` has a control character in it", "write it without line ends and tabs") : null;
}

/// <summary>Texts that a check sends.</summary>
internal static class CheckTexts
{
    /// <summary>Without control characters, so that no line of a protocol ends in it.</summary>
    public static TextForm Plain(string words, int longest) => new(words, longest, (name, text) =>
        text.Any(char.IsControl) ? new($"`{name}: {Show.Safe(text)}` has a control character in it", "write it without line ends and tabs") : null);
}
