using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Model;
using Bascule.Core.States;

namespace Bascule.Core.Config.Editing;

/// <summary>A text with a change in it.</summary>
/// <param name="Text">The new text; null when the change cannot be made.</param>
/// <param name="Refusal">Why not.</param>
public sealed record EditedText(string? Text, ApiError? Refusal)
{
    internal static EditedText Refused(string what, string hint) => new(null, new(what, hint));
}

/// <summary>
/// Changes the text of a configuration and nothing in it but what was asked for: comments and every other line stay as they are. Whether what comes out is a good
/// configuration is for <see cref="ConfigurationText"/> to say; that it says what was asked for is made sure here.
/// </summary>
public static class ConfigurationEditor
{
    /// <summary>Makes a change.</summary>
    /// <param name="text">Of a whole file.</param>
    /// <param name="meant">What that text means.</param>
    public static EditedText Apply(string text, Configuration meant, ConfigurationChange change)
    {
        (string name, string? address) = change.Name.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0
            ? (change.Name[..slash], change.Name[(slash + 1)..])
            : (change.Name, null);
        if (change.Settings.FirstOrDefault(s => s.Name.Length == 0 || s.Name.Split('.').Any(part => part.Length == 0)) is { } nameless)
            return EditedText.Refused($"`{nameless.Name}` is not the name of a setting", "write SETTING=VALUE, with dots for what stands inside another, such as check.interval=1s");
        EditSession session = new(text);
        return address is null
            ? OfVirtualServer(session, meant.VirtualServers.FirstOrDefault(v => v.Name == name), name, change)
            : OfRealServer(session, meant, name, address, change);
    }

    private static EditedText OfVirtualServer(EditSession session, VirtualServer? virtualServer, string name, ConfigurationChange change)
    {
        switch (change.Kind, virtualServer)
        {
            case (ChangeKind.Add, not null):
                return EditedText.Refused($"there is a virtual server {name} already", $"`bascule edit {name}` changes it");
            case (ChangeKind.Add, null):
                return session.AddVirtualServer(name, change.Settings);
            case (_, null):
                return EditedText.Refused($"there is no virtual server {name}", "`bascule list` shows those there are");
            case (ChangeKind.Edit, _):
                return session.Set([RootSection.VirtualServers.Name, name], VirtualServerSection.Section, change.Settings);
            default:
                return session.Remove([RootSection.VirtualServers.Name], name);
        }
    }

    private static EditedText OfRealServer(EditSession session, Configuration meant, string name, string address, ConfigurationChange change)
    {
        ImmutableArray<object> virtualServer = [RootSection.VirtualServers.Name, name];
        ImmutableArray<object> list = virtualServer.Add(VirtualServerSection.RealServers.Name);
        if (change.Kind == ChangeKind.Add)
        {
            return meant.VirtualServers.Any(v => v.Name == name)
                ? session.AddRealServer(list, address, change.Settings)
                : EditedText.Refused($"there is no virtual server {name}", "`bascule list` shows those there are");
        }

        if (StateNames.Find(meant, change.Name, out ApiError? refusal) is not { RealServer: { } found })
            return new(null, refusal);
        ValueList<RealServer> realServers = meant.VirtualServers.First(v => v.Name == name).RealServers;
        int index = realServers.Index().First(r => r.Item.Address.Equals(found)).Index;
        int main = realServers.Count(r => !r.IsFallback); // they come first, and the fallback servers have a list of their own
        bool isFallback = index >= main;
        if (isFallback)
            (list, index) = (virtualServer.Add(VirtualServerSection.FallbackServers.Name), index - main);
        if (change.Kind == ChangeKind.Edit)
            return session.Set(list.Add(index), RealServerSection.Section, change.Settings);
        if (isFallback && realServers.Count == main + 1)
            return session.Remove(virtualServer, VirtualServerSection.FallbackServers.Name);
        return main == 1 && !isFallback
            ? EditedText.Refused($"{StatusReader.AddressText(found)} is the only real server of {name}", $"add another first, or delete the virtual server: bascule delete {name}")
            : session.Remove(list, index);
    }
}
