using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How messages of an instance prove who sent them.</summary>
internal static class HaAuthSection
{
    /// <summary>RFC 2338 §5.3.10: the field has eight bytes.</summary>
    private const int LongestPassword = 8;

    public static readonly Setting<string> Password = new("password", new TextForm("a password of 1 to 8 bytes", 64, EightBytes))
    {
        Doc = "Version 2: a password that goes over the network as it stands here (RFC 2338 §5.3.6). It keeps out mistakes, not attackers; all directors of the virtual router need the same.",
        Otherwise = "none",
        Source = "RFC 3768 §10 removed it; keepalived still has it",
        Example = "password: s3same",
        AlsoCalled = ["auth_pass", "pass", "auth_type"],
    };

    public static readonly Setting<Fields> Hmac = new("hmac", HaHmacSection.Section)
    {
        Doc = "Version 3: HMAC-SHA-256 behind each message, as keepalived 2.4 has it.",
        Default = Fields.Nothing,
        Otherwise = "none",
        Example = "hmac: { keys: { 1: { file: /etc/bascule/vrrp.key } } }",
        AlsoCalled = ["auth_hmac"],
    };

    public static readonly Section Section = new("authentication", Password, Hmac)
    {
        Doc = "How messages of an instance prove who sent them: `password` or `hmac`.",
        Place = "in `authentication` of an instance",
        HoldsSecrets = true,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    /// <summary>Null when nothing is said.</summary>
    public static VrrpAuthentication? Meant(Fields fields, TimeSpan advertInterval) =>
        fields.Find(Password) is { } password ? new PasswordAuthentication(password)
        : fields.IsWritten(Hmac) ? HaHmacSection.Meant(fields.Get(Hmac), advertInterval)
        : null;

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.IsWritten(Password) && fields.IsWritten(Hmac))
            problems.Add(fields.AtOf(Hmac), "`password` and `hmac` are of different versions of VRRP", "keep `password` for version 2 or `hmac` for version 3");
        else if (!fields.IsWritten(Password) && !fields.IsWritten(Hmac) && !problems.IsPartial)
            problems.Add(fields.At, "`authentication` does not say how", "add `password` (version 2) or `hmac` (version 3), or leave it out");
    }

    private static Complaint? EightBytes(string name, string text) => Encoding.UTF8.GetByteCount(text) switch
    {
        > LongestPassword and var bytes => new($"`{name}` has {bytes} bytes, and a message of version 2 has room for {LongestPassword}", "write the first eight on all directors; keepalived cuts longer ones off there"),
        _ => null,
    };
}

/// <summary>HMAC-SHA-256 behind each message.</summary>
internal static class HaHmacSection
{
    private static readonly NameRule KeyIds = new("ids, 1 to 255,", "all directors have the same key under the same id", "^([1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$", CheckId);

    public static readonly Setting<ImmutableArray<Named>> Keys = new("keys", new NamedForm(
        HaSecretSection.Hmac.Section, new("`keys` holds none", "add `keys: { 1: { file: /etc/bascule/vrrp.key } }`"))
    { Names = KeyIds, HoldsSecrets = true })
    {
        Doc = "The keys by their ids, 1 to 255. Messages of all of them are taken, so that a new one can be brought in.",
        Example = "keys: { 1: { file: /etc/bascule/vrrp.key } }",
        AlsoCalled = ["key"],
    };

    public static readonly Setting<int> ActiveKey = new("activeKey", new CountForm(1, 255))
    {
        Doc = "Id of the key with which we send.",
        Otherwise = "the only one; required where there are several",
        Source = "keepalived active_key",
        Example = "activeKey: 1",
        AlsoCalled = ["active_key"],
    };

    public static readonly Setting<HmacMode> Mode = new("mode", new ChoiceForm<HmacMode>(
        new("receiveOnly", HmacMode.ReceiveOnly, "We send none; a wrong one is counted, all messages are taken. The first step of a roll-out.", "receive-only", "receive"),
        new("permissive", HmacMode.Permissive, "We send it; messages without one are taken, those with a wrong one are not. The second step.", "warn"),
        new("enforce", HmacMode.Enforce, "We send it; only messages with a right one are taken.", "strict", "required")))
    {
        Doc = "What is done with messages that have none, or a wrong one.",
        Default = HmacMode.Enforce,
        Source = "ours; who writes keys wants them to count",
        Example = "mode: enforce",
    };

    public static readonly Setting<TimeSpan> Window = new("window", DurationForm.WholeSeconds(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)))
    {
        Doc = "How far the directors' clocks may be apart; older messages count as replayed.",
        Otherwise = "5s, or three times `advertInterval` if that is longer",
        Source = "keepalived time_window",
        Example = "window: 5s",
        AlsoCalled = ["time_window", "replayWindow", "anti_replay"],
    };

    public static readonly Section Section = new("hmac", Keys, ActiveKey, Mode, Window)
    {
        Doc = "HMAC-SHA-256 behind each message, as keepalived 2.4 has it.",
        Place = "in `hmac` of `authentication`",
        HoldsSecrets = true,
        Rule = (_, fields, problems) => Relate(fields, problems),
    };

    public static HmacAuthentication Meant(Fields fields, TimeSpan advertInterval)
    {
        ValueList<HmacKey> keys = [.. fields.Get(Keys).Select(k => new HmacKey(byte.Parse(k.Name, CultureInfo.InvariantCulture), HaSecretSection.Hmac.Meant(k.Fields)))];
        return new(keys, (byte?)fields.FindValue(ActiveKey) ?? keys[0].Id, fields.Get(Mode), fields.FindValue(Window) ?? UsualWindow(advertInterval));
    }

    private static TimeSpan UsualWindow(TimeSpan advertInterval) => TimeSpan.FromSeconds(double.Clamp(double.Ceiling(3 * advertInterval.TotalSeconds), 5, 300));

    private static void Relate(Fields fields, ProblemList problems)
    {
        if (fields.FindValue(Keys) is not { Length: > 0 } keys || fields.IsBroken(ActiveKey))
            return;
        if (fields.FindValue(ActiveKey) is not { } active)
        {
            if (keys.Length > 1 && !problems.IsPartial)
                problems.Add(fields.At, "there are several keys, and nothing says with which we send", "add `activeKey`; on all directors the same, once all of them have that key");
        }
        else if (!keys.Any(k => k.Name == active.ToString(CultureInfo.InvariantCulture)))
        {
            problems.Add(fields.AtOf(ActiveKey), $"`activeKey: {active}` is none of the `keys`", "write the id of one of them");
        }
    }

    // Never quotes what was written: a key may have been written where its id belongs.
    private static Complaint? CheckId(string text) =>
        byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte id) && id > 0 && text[0] != '0'
            ? null
            : new("the id of a key is not a whole number from 1 to 255", "write `keys: { 1: { file: /etc/bascule/vrrp.key } }`");
}
