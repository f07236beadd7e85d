using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Config.Editing;

namespace Bascule.Daemon;

/// <summary>The text of the configuration that is in force, and what of it is not in the file. Changed by who puts a configuration in force.</summary>
/// <param name="text">Of the file, as the daemon starts with it.</param>
internal sealed class InForce(string text)
{
    /// <summary>Changes that can be in force without being in the file.</summary>
    public const int MostUnsaved = 1000;

    private ImmutableArray<(ConfigurationChange Change, UnsavedChange Said)> _unsaved = [];

    /// <summary>The text in force.</summary>
    public string Text { get; private set; } = text;

    /// <summary>The text of the file as it was last read or written.</summary>
    public string OnDisk { get; private set; } = text;

    /// <summary>What is about to be written to the file, with everything in it that is unsaved; null: nothing.</summary>
    public string? Saving { get; set; }

    /// <summary>What is in force and not in the file, the oldest first.</summary>
    public ImmutableArray<UnsavedChange> Unsaved => [.. _unsaved.Select(u => u.Said)];

    /// <summary>The file counts.</summary>
    /// <returns>What was in force, is not any more, and was never in a file.</returns>
    public ImmutableArray<UnsavedChange> TakeFile(string text)
    {
        ImmutableArray<UnsavedChange> lost = text == Text || text == Saving ? [] : Unsaved;
        (Text, OnDisk, _unsaved) = (text, text, []);
        return lost;
    }

    /// <summary>Whether one more change can be kept in mind.</summary>
    public bool HasRoomFor(ConfigurationChange change) => _unsaved.Length < MostUnsaved || _unsaved.Any(u => IsSame(u.Change, change));

    /// <summary>A change counts until the file is read again; one of the same settings takes the place of the one before.</summary>
    public void Change(string text, ConfigurationChange change, UnsavedChange said)
    {
        if (text != Text)
            _unsaved = text == OnDisk ? [] : [.. _unsaved.Where(u => !IsSame(u.Change, change)), (change, said)];
        Text = text;
    }

    private static bool IsSame(ConfigurationChange one, ConfigurationChange other) =>
        one.Kind == other.Kind && one.Name == other.Name && one.Settings.Select(s => s.Name).SequenceEqual(other.Settings.Select(s => s.Name));
}
