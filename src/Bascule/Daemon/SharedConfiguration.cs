using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Config.Sharing;
using Bascule.Core.Model;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>What the shared configuration needs of the director around it.</summary>
/// <param name="Node">Its name.</param>
/// <param name="File">Its configuration file.</param>
/// <param name="Peers">Those who share.</param>
/// <param name="AskAsync">Asks a peer; null when it cannot be reached.</param>
/// <param name="Validate">Why a file of this text could not be put in force; empty when it could. Changes nothing.</param>
/// <param name="Apply">Puts a file of this text in force; what is on disk is not looked at.</param>
/// <param name="Refuse">What is answered to a change that is not made.</param>
internal sealed record SharingShell(
    string Node, string File, ImmutableArray<string> Peers, Func<string, byte[], Task<byte[]?>> AskAsync, Func<string, IReadOnlyList<string>> Validate, Func<string, ReloadResult> Apply,
    Func<IEnumerable<string>, ReloadResult> Refuse);

/// <summary>
/// The same configuration on all directors: a change is valid on each before it is made on any; who was away takes it when it is back; and where both changed,
/// both go on as they are until a person has decided.
/// </summary>
internal sealed partial class SharedConfiguration : IAsyncDisposable
{
    /// <summary>What could not be taken when the peer came may be possible now.</summary>
    private static readonly TimeSpan ComparesEvery = TimeSpan.FromSeconds(15);

    private readonly SharingShell _shell;
    private readonly VersionFolder _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _one = new(1);
    private readonly ConcurrentDictionary<string, PeerVersion> _peers = new();
    private readonly ConcurrentDictionary<string, ConfigurationVersion> _theirs = new();
    private readonly ITimer _timer;
    private ConfigurationHistory _history;

    private SharedConfiguration(SharingShell shell, VersionFolder folder, ConfigurationHistory history, TimeProvider time, ILogger log)
    {
        _shell = shell;
        _folder = folder;
        _history = history;
        _time = time;
        _log = log;
        foreach (string peer in shell.Peers)
            _peers[peer] = new(peer, null, null, null, $"nothing has been heard of the configuration of {peer} yet");
        _timer = time.CreateTimer(_ => CompareAll(), null, ComparesEvery, ComparesEvery);
    }

    private ConfigurationHistory History => Volatile.Read(ref _history);

    private ConfigurationVersion Current => History.Current!;

    /// <summary>Reads the history; what is in force becomes a version of it, if it is not the last.</summary>
    /// <param name="text">In force: the whole file as it was read.</param>
    /// <param name="whyNot">As a sentence; null on success.</param>
    public static SharedConfiguration? TryOpen(SharingShell shell, HaSettings settings, string text, TimeProvider time, ILogger log, out string? whyNot)
    {
        if (SharedPart.TrySplit(text, out whyNot) is not { } file)
            return null;
        VersionFolder folder = new(settings.StateFolder);
        try
        {
            ConfigurationHistory history = folder.Read(path => Log.OddVersion(log, path));
            SharedConfiguration opened = new(shell, folder, history, time, log);
            if (history.Current is not { } last)
                opened.Record(new([], file.Text, time.GetUtcNow(), shell.Node, "start"));
            else if (last.Text != file.Text)
                opened.Record(new([last.Id], file.Text, time.GetUtcNow(), shell.Node, "changed while the daemon was stopped"));
            return opened;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            whyNot = $"ha.stateFolder: {e.Message}";
            return null;
        }
    }

    /// <summary>Compares no more.</summary>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    /// <summary>What is known, for people and programs.</summary>
    public ConfigurationReport Report() => new()
    {
        Node = _shell.Node,
        Versions = [.. History.Versions.Reverse().Select(v => new VersionStatus(v.Number, v.Version.Id, v.Version.At, v.Version.By, v.Version.Why))],
        Peers = [.. _peers.Values.OrderBy(p => p.Name, StringComparer.Ordinal)],
    };

    /// <summary>What an operator should read, as sentences.</summary>
    public IEnumerable<string> Warnings() => _peers.Values.Where(p => p.Standing is Standing.Conflict or Standing.Behind && p.Sentence is not null).Select(p => p.Sentence!);

    /// <summary>The file has been changed by its operator.</summary>
    public Task<ReloadResult> ReloadAsync(Func<ReloadResult> reloadHere) => AloneAsync(async () =>
    {
        // A file with a problem is refused here as ever; so is one that nobody can take apart.
        if (ReadFile(out string? _) is not { } text || _shell.Validate(text).Count > 0)
            return reloadHere();
        if (SharedPart.TrySplit(text, out string? whyNot) is not { } file)
            return Refused(whyNot!);
        return file.Text == Current.Text ? reloadHere() : await ChangeAsync(Next(file.Text, "reload", [Current.Id]), text, over: null);
    });

    /// <summary>A command changes it.</summary>
    /// <param name="why">In a few words.</param>
    /// <param name="compose">The whole file as it is to be, or why it cannot be. Called when no other change is under way.</param>
    public Task<ReloadResult> EditAsync(string why, Func<(string? Text, string? WhyNot)> compose) => AloneAsync(async () =>
    {
        if (ReadFile(out string? whyNot) is not { } over)
            return Refused(whyNot!);
        (string? text, whyNot) = compose();
        if (text is null || SharedPart.TrySplit(text, out whyNot) is not { } file)
            return Refused(whyNot!);
        return file.Text == Current.Text ? Write(text, over) : await ChangeAsync(Next(file.Text, why, [Current.Id]), text, over);
    });

    /// <summary>Goes back to the text of a version, as a new one.</summary>
    public Task<ReloadResult> RollBackAsync(int number) => AloneAsync(async () =>
        History.Versions.FirstOrDefault(v => v.Number == number).Version is { } old
            ? await ComposeAndChangeAsync(Next(old.Text, $"rollback to {number}", [Current.Id]))
            : Refused($"there is no version {number} (`bascule config history` lists those there are)"));

    /// <summary>Decides a conflict for ours.</summary>
    public Task<ReloadResult> TakeMineAsync() => AloneAsync(async () =>
    {
        foreach (string peer in _shell.Peers)
        {
            if (await TellAsync(peer) is not { } theirs)
                return Refused($"{peer} cannot be reached, so nothing can be decided for it (see `bascule ha`)");
            Note(peer, theirs);
            if (theirs.Version is { } version && version.Id != Current.Id)
                return await ComposeAndChangeAsync(Next(Current.Text, "take mine", [Current.Id, version.Id]));
        }

        return Refused("nothing is to be decided: the directors have the same configuration");
    });

    /// <summary>Decides a conflict for the peer's.</summary>
    public Task<ReloadResult> TakeTheirsAsync() => AloneAsync(async () =>
    {
        foreach (string peer in _shell.Peers)
        {
            if (await TellAsync(peer) is not { } theirs)
                return Refused($"{peer} cannot be reached, so its configuration cannot be taken (see `bascule ha`)");
            if (theirs.Version is { } version && version.Id != Current.Id)
                return Noted(peer, theirs, Take(version));
        }

        return Refused("nothing is to be decided: the directors have the same configuration");
    });

    /// <summary>Ours beside the peer's, as it says now, or said last.</summary>
    public async Task<ConfigurationDifference?> DifferenceAsync()
    {
        foreach (string peer in _shell.Peers)
        {
            if (await TellAsync(peer) is { } told)
                Note(peer, told);
            if (_theirs.TryGetValue(peer, out ConfigurationVersion? theirs))
                return new(peer, _peers[peer].AsOf ?? _time.GetUtcNow(), LineDifference.Between(Current.Text, theirs.Text));
        }

        return null;
    }

    /// <summary>Looks how ours stands to a peer's, and takes its version where that grew out of ours. Not awaited: nobody waits for a peer.</summary>
    public void BeginCompare(string peer) => _ = Task.Run(async () =>
    {
        try
        {
            await CompareAsync(peer);
        }
        catch (Exception e)
        {
            Log.ReloadBroke(_log, e);
        }
    });

    private async Task CompareAsync(string peer)
    {
        if (await TellAsync(peer) is not { } told)
            return;
        if (Note(peer, told) != Standing.Behind || told.Version is not { } theirs)
            return;
        Warn(await AloneAsync(() => Task.FromResult(Note(peer, told) == Standing.Behind ? Noted(peer, told, Take(theirs)) : Refused(""))));
    }

    private void CompareAll()
    {
        foreach (string peer in _shell.Peers)
            BeginCompare(peer);
    }

    private ConfigurationVersion Next(string text, string why, ImmutableArray<string> parents) => new(parents, text, _time.GetUtcNow(), _shell.Node, why);

    private async Task<ReloadResult> AloneAsync(Func<Task<ReloadResult>> change)
    {
        await _one.WaitAsync();
        try
        {
            return await change();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Our own part of the file with the version's shared part.</summary>
    /// <param name="over">What the file says as yet.</param>
    private string? Compose(ConfigurationVersion version, out string? over, out string? whyNot)
    {
        over = ReadFile(out whyNot);
        if (over is null || SharedPart.TrySplit(over, out whyNot) is not { } file)
            return null;
        if (file.Text == Current.Text || file.Text == version.Text)
            return file.With(version.Text, out whyNot);
        whyNot = $"{_shell.File} on {_shell.Node} has changes that are not in force: reload it there, or undo them";
        return null;
    }

    private async Task<ReloadResult> ComposeAndChangeAsync(ConfigurationVersion version) =>
        Compose(version, out string? over, out string? whyNot) is { } text ? await ChangeAsync(version, text, over) : Refused(whyNot!);

    /// <summary>Valid on all that can be reached, then made here, then made there.</summary>
    /// <param name="over">What the file said when the text was made of it; null: it says the text already.</param>
    private async Task<ReloadResult> ChangeAsync(ConfigurationVersion version, string text, string? over)
    {
        string[] problems = [.. _shell.Validate(text)];
        if (problems.Length > 0)
            return Refused(problems);
        List<string> ready = [];
        List<string> warnings = [];
        foreach (string peer in _shell.Peers)
        {
            if (await AskAsync(peer, new(SharingWord.Propose, version)) is not { } answer)
                warnings.Add($"{peer} cannot be reached; it takes this configuration when it is back");
            else if (answer.Reply == SharingReply.Valid)
                ready.Add(peer);
            else
                return Refused(Objections(peer, answer));
        }

        ReloadResult made = Make(version, text, over);
        if (!made.Applied)
            return made;
        foreach (string peer in ready)
        {
            if (await AskAsync(peer, new(SharingWord.Apply, version)) is not { Reply: SharingReply.Applied } answer)
                warnings.Add($"{peer} found it good, but has not said that it is in force there; it is asked again (see `bascule config history`)");
            else
                Note(peer, answer);
        }

        return made with { Warnings = [.. made.Warnings, .. warnings] };
    }

    /// <summary>Takes a version that the peer has in force.</summary>
    private ReloadResult Take(ConfigurationVersion version)
    {
        if (Compose(version, out string? over, out string? whyNot) is not { } text)
            return Refused(whyNot!);
        string[] problems = [.. _shell.Validate(text)];
        return problems.Length > 0 ? Refused(problems) : Make(version, text, over);
    }

    private ReloadResult Make(ConfigurationVersion version, string text, string? over)
    {
        ReloadResult made = over is null ? _shell.Apply(text) : Write(text, over);
        if (made.Applied)
            Record(version);
        return made;
    }

    /// <summary>Writes the file and puts it in force; the old file is back when that fails. What somebody wrote there meanwhile stays.</summary>
    private ReloadResult Write(string text, string over)
    {
        if (ReadFile(out _) != over)
            return Refused($"{_shell.File} on {_shell.Node} was changed just now, and this would undo that (reload it there, then try again)");
        try
        {
            AtomicFile.Write(_shell.File, text);
            ReloadResult made = _shell.Apply(text);
            if (!made.Applied)
                AtomicFile.Write(_shell.File, over);
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refused($"{_shell.File} on {_shell.Node} cannot be written: {e.Message}");
        }
    }

    private void Record(ConfigurationVersion version)
    {
        ConfigurationHistory next = History.With(version);
        Volatile.Write(ref _history, next);
        try
        {
            _folder.Add(next);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.VersionNotKept(_log, version.ShortId, e.Message);
        }
    }

    private string? ReadFile(out string? whyNot)
    {
        string? text = ConfigurationFile.ReadText(_shell.File, out whyNot);
        if (whyNot is not null)
            whyNot = $"{_shell.File} on {_shell.Node} {whyNot}";
        return text;
    }

    private ReloadResult Refused(params IEnumerable<string> problems) => _shell.Refuse(problems);
}
