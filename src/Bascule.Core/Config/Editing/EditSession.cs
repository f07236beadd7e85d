using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config.Editing;

/// <summary>
/// One change under way: the text, and beside it the tree that the text is to be in the end. Where they differ, the text is written in a way that cannot be changed
/// piecemeal, and the change is refused.
/// </summary>
internal sealed class EditSession
{
    private static readonly EditedText NotPiecemeal = EditedText.Refused(
        "the file is written in a way in which this cannot be changed without touching more of it", "change it in the file by hand, then `bascule reload`");

    private readonly JsonNode? _wanted;
    private string _text;

    public EditSession(string text)
    {
        _text = text;
        _wanted = Read(text);
    }

    public EditedText AddVirtualServer(string name, ImmutableArray<SettingChange> settings)
    {
        string root = RootSection.VirtualServers.Name;
        SettingChange[] plain = [.. settings.Where(s => s.Value is not null && !s.Name.Contains('.', StringComparison.Ordinal))];
        if (plain.Length == 0)
            return EditedText.Refused("a new virtual server needs settings", $"write at least {VirtualServerSection.Address.Name}=… and {VirtualServerSection.RealServers.Name}=[…]");
        if (Find([root]) is not MapSpan map || _wanted?[root] is not JsonObject wanted)
            return NotPiecemeal;
        _text = new YamlText(_text).AddMap(map, name, [.. plain.Select(s => (s.Name, YamlValue.Write(s.Value!)))]);
        wanted[name] = new JsonObject(plain.DistinctBy(s => s.Name).Select(s => KeyValuePair.Create(s.Name, YamlValue.Read(YamlValue.Write(s.Value!)))));
        return Set([root, name], VirtualServerSection.Section, [.. settings.Except(plain)]);
    }

    public EditedText AddRealServer(ImmutableArray<object> list, string address, ImmutableArray<SettingChange> settings)
    {
        if (Find(list) is not ListSpan { Items.IsEmpty: false } span || Wanted(list) is not JsonArray wanted)
            return NotPiecemeal;
        string written = YamlValue.Write(address);
        _text = new YamlText(_text).Add(span, written);
        wanted.Add(YamlValue.Read(written));
        return Set(list.Add(span.Items.Length), RealServerSection.Section, settings);
    }

    public EditedText Remove(ImmutableArray<object> from, object what)
    {
        YamlSpan? inside = Find(from);
        int index = inside is MapSpan map ? map.Entries.Select(e => e.Name).ToList().IndexOf((string)what) : (int)what;
        if (inside is null || index < 0)
            return NotPiecemeal;
        if (inside is MapSpan { Entries.Length: 1 })
            return EditedText.Refused($"{what} is the only one there is, and without any there is nothing to do", "add another first, or stop the daemon");
        _text = new YamlText(_text).Remove(inside, index);
        if (Wanted(from) is JsonObject entries)
            entries.Remove((string)what);
        else
            (Wanted(from) as JsonArray)?.RemoveAt(index);
        return Done();
    }

    /// <summary>Gives a virtual server or real server settings.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="section">Which settings there are.</param>
    public EditedText Set(ImmutableArray<object> place, Section section, ImmutableArray<SettingChange> settings)
    {
        foreach (SettingChange setting in settings)
        {
            string[] path = setting.Name.Split('.');
            bool isDone = setting.Value is { } value ? TrySet(place, section, path, YamlValue.Write(value)) : TryClear(place, path);
            if (!isDone)
                return NotPiecemeal;
        }

        return Done();
    }

    /// <summary>What came of it, when it says what was wanted.</summary>
    private EditedText Done() => _wanted is not null && JsonNode.DeepEquals(Read(_text), _wanted) ? new(_text, null) : NotPiecemeal;

    private bool TrySet(ImmutableArray<object> place, Section? section, string[] path, string value)
    {
        if (!TrySpellOut(place, section) || Find(place) is not MapSpan map || Wanted(place) is not JsonObject wanted)
            return false;
        if (map.Find(path[0]) is not { } entry)
        {
            string whole = Wrap(path[1..], value);
            _text = new YamlText(_text).Add(map, path[0], whole);
            wanted[path[0]] = YamlValue.Read(whole);
            return true;
        }

        if (path.Length > 1 && wanted[path[0]] is not null)
            return TrySet(place.Add(path[0]), InsideOf(section, path[0]), path[1..], value);
        string replacing = Wrap(path[1..], value);
        _text = new YamlText(_text).Replace(entry, replacing);
        wanted[path[0]] = YamlValue.Read(replacing);
        return true;
    }

    /// <summary>The value in the maps that it stands in: <c>{ http: { path: / } }</c>.</summary>
    private static string Wrap(string[] path, string value) => path.Reverse().Aggregate(value, (inner, name) => $"{{ {YamlValue.Write(name)}: {inner} }}");

    private bool TryClear(ImmutableArray<object> place, string[] path)
    {
        if (Find(place) is not MapSpan map || map.Find(path[0]) is not { } entry || Wanted(place) is not JsonObject wanted)
            return true; // it is not there
        // A map of which nothing is left goes as a whole.
        if (path.Length > 1 && entry.Value is MapSpan inner && !(inner.Entries.Length == 1 && inner.Entries[0].Name == path[1]))
            return TryClear(place.Add(path[0]), path[1..]);
        if (path.Length > 1 && entry.Value is not MapSpan)
            return true;
        if (map.Entries.Length == 1)
            return false;
        _text = new YamlText(_text).Remove(map, map.Entries.IndexOf(entry));
        wanted.Remove(path[0]);
        return true;
    }

    /// <summary>Makes a map of a single value that stands for one: <c>10.0.0.11</c> becomes <c>{ address: 10.0.0.11 }</c>.</summary>
    private bool TrySpellOut(ImmutableArray<object> place, Section? section)
    {
        if (Find(place) is not ValueSpan value)
            return true;
        if (section?.Short is not { } spelled)
            return false;
        _text = new YamlText(_text).Replace(value, single => $"{{ {spelled.Name}: {single} }}");
        JsonNode? wanted = Wanted(place)?.DeepClone();
        if (place[^1] is int index)
            Wanted(place[..^1])![index] = new JsonObject { [spelled.Name] = wanted };
        else
            Wanted(place[..^1])![(string)place[^1]] = new JsonObject { [spelled.Name] = wanted };
        return true;
    }

    private static Section? InsideOf(Section? section, string name) => section?.Settings.FirstOrDefault(s => s.Name == name)?.Form.Inside;

    private YamlSpan? Find(ImmutableArray<object> place)
    {
        YamlSpan? span = YamlSpan.Read(_text);
        foreach (object step in place)
        {
            span = (span, step) switch
            {
                (MapSpan map, string name) => map.Find(name)?.Value,
                (ListSpan list, int index) when index < list.Items.Length => list.Items[index],
                _ => null,
            };
        }

        return span;
    }

    private JsonNode? Wanted(ImmutableArray<object> place) =>
        place.Aggregate(_wanted, (node, step) => step is int index ? node?[index] : node?[(string)step]);

    private static JsonNode? Read(string text)
    {
        ProblemList problems = new();
        Node? root = YamlReader.Read(text, problems);
        return problems.IsEmpty ? YamlValue.ToJson(root) : null;
    }
}
