using Bascule.Core.Api;
using Bascule.Core.Config.Sharing;

namespace Bascule.Daemon;

/// <content>What is asked of the peers, and what they are answered.</content>
internal sealed partial class SharedConfiguration
{
    /// <summary>Answers a peer. Never waits for a change of our own: two that change at once must not wait for each other.</summary>
    public async Task<byte[]> AnswerAsync(string peer, byte[] question)
    {
        if (SharingWire.Question(question) is not { } asked)
            return SharingWire.Bytes(Say(SharingReply.Refused, "the question was not understood: do both directors run the same version of the program?"));
        if (asked.Version is not { } version)
            return SharingWire.Bytes(Say(SharingReply.Told));
        if (!await _one.WaitAsync(TimeSpan.Zero))
            return SharingWire.Bytes(Say(SharingReply.Busy));
        try
        {
            return SharingWire.Bytes(Answer(peer, asked.Word, version));
        }
        finally
        {
            _one.Release();
        }
    }

    private SharingAnswer Answer(string peer, SharingWord word, ConfigurationVersion version)
    {
        if (Current.Id == version.Id)
            return Say(SharingReply.Applied);
        if (!History.Continues(version))
            return Say(SharingReply.Diverged);
        if (Compose(version, out string? over, out string? whyNot) is not { } text)
            return Say(SharingReply.Refused, whyNot!);
        string[] problems = [.. _shell.Validate(text)];
        if (problems.Length > 0)
            return Say(SharingReply.Refused, problems);
        if (word != SharingWord.Apply)
            return Say(SharingReply.Valid);
        ReloadResult made = Make(version, text, over);
        if (!made.Applied)
            return Say(SharingReply.Refused, [.. made.Problems]);
        Log.TookVersion(_log, version.ShortId, version.By, version.Why, made.Summary());
        Warn(made);
        Note(peer, new(SharingReply.Told, version, [], []));
        return Say(SharingReply.Applied);
    }

    // No operator waits for what a peer had changed here: what he should know of it is in the log.
    private void Warn(ReloadResult made)
    {
        foreach (string warning in made.Warnings)
            Log.ReloadWarning(_log, warning);
    }

    private SharingAnswer Say(SharingReply reply, params string[] problems) => new(reply, Current, [.. History.Ancestors()], [.. problems]);

    private async Task<SharingAnswer?> AskAsync(string peer, SharingQuestion question) =>
        await _shell.AskAsync(peer, SharingWire.Bytes(question)) is { } bytes ? SharingWire.Answer(bytes) ?? new SharingAnswer(SharingReply.Busy, null, [], []) : null;

    /// <summary>What is in force there; null when it cannot be reached, or does not say.</summary>
    private async Task<SharingAnswer?> TellAsync(string peer) =>
        await AskAsync(peer, new(SharingWord.Tell, null)) is { Reply: SharingReply.Told } told ? told : null;

    private static string[] Objections(string peer, SharingAnswer answer) => answer.Reply switch
    {
        SharingReply.Refused => [.. answer.Problems.Select(p => $"{peer}: {p}")],
        SharingReply.Busy => [$"{peer} is changing its configuration at this moment, or does not share its own (try again; see `shareConfiguration` there)"],
        SharingReply.Diverged => [ConflictWith(peer)],
        SharingReply.Applied or SharingReply.Told or SharingReply.Valid => [$"{peer} has this configuration in force already; look at `bascule config history` on both"],
    };

    private static string ConflictWith(string peer) =>
        $"{peer} has another configuration, changed while the two could not talk: `bascule config diff` shows it, `bascule config take mine` or `take theirs` decides";

    /// <summary>Notes what a peer said of its version.</summary>
    private Standing Note(string peer, SharingAnswer told)
    {
        Standing standing = told.Version is { } theirs ? History.Compare(theirs, told.Ancestors.ToHashSet()) : Standing.Ahead;
        string? sentence = standing switch
        {
            Standing.InStep => null,
            Standing.Ahead => $"{peer} takes the configuration of this director next",
            Standing.Behind => $"{peer} has a newer configuration, which this director takes next",
            Standing.Conflict => ConflictWith(peer),
        };
        if (standing == Standing.Conflict && _peers[peer].Standing != Standing.Conflict)
            Log.ConfigurationConflict(_log, sentence!);
        else if (standing == Standing.InStep && _peers[peer].Standing is not Standing.InStep)
            Log.ConfigurationInStep(_log, peer, Current.ShortId);
        // What could not be taken stays told until it is another version.
        bool isOldNews = standing == Standing.Behind && _peers[peer] is { Standing: Standing.Behind } before && before.Id == told.Version?.Id;
        _peers[peer] = new(peer, standing, told.Version?.Id, _time.GetUtcNow(), isOldNews ? _peers[peer].Sentence : sentence);
        if (told.Version is { } version)
            _theirs[peer] = version;
        return standing;
    }

    /// <summary>Notes what came of taking a peer's version.</summary>
    private ReloadResult Noted(string peer, SharingAnswer told, ReloadResult taken)
    {
        if (taken.Applied)
        {
            Log.TookVersion(_log, told.Version!.ShortId, told.Version.By, told.Version.Why, taken.Summary());
            Note(peer, told);
            return taken;
        }

        string sentence = $"the configuration of {peer} cannot be taken here: {string.Join("; ", taken.Problems)}";
        if (_peers[peer].Sentence != sentence)
            Log.VersionNotTaken(_log, sentence);
        _peers[peer] = _peers[peer] with { Sentence = sentence };
        return taken;
    }
}
