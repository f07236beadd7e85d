using System.Collections.Immutable;
using Bascule.Core.Api;

namespace Bascule.Daemon;

/// <summary>The text of the configuration that is in force, and what of it is not in the file. Changed under the director's lock.</summary>
/// <param name="text">Of the file, as the daemon starts with it.</param>
internal sealed class InForce(string text)
{
    private ImmutableArray<UnsavedChange> _unsaved = [];

    /// <summary>The text in force.</summary>
    public string Text { get; private set; } = text;

    /// <summary>The text of the file as it was last read or written.</summary>
    public string OnDisk { get; private set; } = text;

    /// <summary>What is about to be written to the file, with everything in it that is unsaved; null: nothing.</summary>
    public string? Saving { get; set; }

    /// <summary>What is in force and not in the file, the oldest first.</summary>
    public ImmutableArray<UnsavedChange> Unsaved => _unsaved;

    /// <summary>The file counts.</summary>
    /// <returns>What was in force, is not any more, and was never in a file.</returns>
    public ImmutableArray<UnsavedChange> TakeFile(string text)
    {
        ImmutableArray<UnsavedChange> lost = text == Text || text == Saving ? [] : _unsaved;
        (Text, OnDisk, _unsaved) = (text, text, []);
        return lost;
    }

    /// <summary>A change counts until the file is read again.</summary>
    public void Change(string text, UnsavedChange change)
    {
        if (text != Text)
            _unsaved = text == OnDisk ? [] : _unsaved.Add(change);
        Text = text;
    }
}
