namespace Bascule.Core.Config;

/// <summary>Finds out what somebody who wrote an unknown key may have wanted.</summary>
internal static class UnknownSetting
{
    public static Complaint Explain(Section section, string key)
    {
        string what = $"{Show.Quoted(key)} is not a setting";
        if (NameIn(section, key) is { } meant)
            return new(what, $"did you mean `{meant}`?");
        Section? elsewhere = RootSection.Section.AndAllInside().FirstOrDefault(s => s.Settings.Any(known => known.Name == key));
        return elsewhere is not null
            ? new($"{Show.Quoted(key)} is not a setting here", $"it belongs {elsewhere.Place}")
            : new(what, $"known here: {string.Join(", ", section.Settings.Select(s => s.Name))}");
    }

    private static string? NameIn(Section section, string key) =>
        section.Settings.FirstOrDefault(s => s.AlsoCalled.Contains(key, StringComparer.OrdinalIgnoreCase))?.Name
        ?? Nearest.To(key, section.Settings.Select(s => s.Name));
}
