using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Config;
using Bascule.Core.Config.Editing;
using Bascule.Core.Config.Sharing;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Core.States;
using Bascule.Proxy;

namespace Bascule.Daemon;

/// <content>How another configuration comes into force: the file read again, a change by a command, a peer's.</content>
#pragma warning disable CA1001 // A semaphore on whose handle nobody waits holds nothing that were to be disposed of.
internal sealed partial class Director
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _editing = new(1);

    /// <summary>One configuration after another. Held while a text is read and checked, which takes its time; only who has it takes <see cref="_changing"/> with a new one.</summary>
    private readonly Lock _configuring = new();
    private readonly InForce _inForce;

    /// <summary>Changes the configuration as an operator says, one change at a time; with any problem, nothing changes.</summary>
    public async Task<EditResult> EditAsync(EditRequest request)
    {
        request = request with { By = StateBook.Cut(request.By) };
        await _editing.WaitAsync();
        try
        {
            return await Task.Run(() => request.Save && !request.DryRun && _shared is { } shared ? EditSharedAsync(request, shared) : Task.FromResult(EditHere(request)));
        }
        finally
        {
            _editing.Release();
        }
    }

    private EditResult EditHere(EditRequest request)
    {
        lock (_configuring)
        {
            Edited edited = Compose(request);
            if (edited.Text is not { } text)
                return Refused(edited.WhyNot!);
            if (request.DryRun)
                return new(Validate(text) is { Length: > 0 } problems ? ReloadResult.Refused(Current, problems) : ReloadResult.Between(Current, Current, []), edited.Difference, IsSaved: false);
            bool isNew = text != _inForce.Text;
            ReloadResult result = isNew ? Reload(ConfigurationFile.CheckToRun(_file, text)) : ReloadResult.Between(Current, Current, []);
            if (!result.Applied)
                return new(result, edited.Difference, IsSaved: false);
            if (isNew && request.Change is { } change)
            {
                _inForce.Change(text, change, new(change.Words, request.By, _time.GetUtcNow()));
                Log.Edited(_log, request.By, change.Words);
            }

            string? unsaved = request.Save ? TrySave(text) : null;
            return new(unsaved is null ? result : result with { Warnings = [.. result.Warnings, unsaved] }, edited.Difference, _inForce.Unsaved.IsEmpty);
        }
    }

    /// <summary>Through the peers: valid there too, and made there too.</summary>
    private async Task<EditResult> EditSharedAsync(EditRequest request, SharedConfiguration shared)
    {
        Edited edited = default;
        ReloadResult result = await shared.EditAsync(request.Change?.Words ?? "save", () =>
        {
            lock (_configuring)
            {
                edited = Compose(request);
                _inForce.Saving = edited.Text;
            }

            return (edited.Text, edited.WhyNot);
        });
        lock (_configuring)
            _inForce.Saving = null;
        Say(result);
        if (result.Applied && request.Change is { } change)
            Log.Edited(_log, request.By, change.Words);
        return new(result, edited.Difference, IsSaved: result.Applied);
    }

    /// <summary>What would be in force.</summary>
    private Edited Compose(EditRequest request)
    {
        string before = _inForce.Text;
        if (request.Save && ConfigurationFile.ReadText(_file, out _) != _inForce.OnDisk)
            return new(null, $"{_file} was changed since it was last read, and saving would undo that (`bascule reload` puts it in force; then make this change again)", []);
        if (request.Change is not { } change)
            return new(before, null, LineDifference.Between(_inForce.OnDisk, before));
        if (!_inForce.HasRoomFor(change))
            return new(null, $"{InForce.MostUnsaved} changes are in force that are not in the file (`bascule save` keeps them, `bascule reload` drops them; then make this one again)", []);
        EditedText edited = ConfigurationEditor.Apply(before, Current.Configuration, change);
        return edited.Text is { } text
            ? new(text, null, LineDifference.Between(request.Save ? _inForce.OnDisk : before, text))
            : new(null, $"{edited.Refusal!.Error} ({edited.Refusal.Hint})", []);
    }

    private EditResult Refused(string whyNot) => new(ReloadResult.Refused(Current, [whyNot]), [], IsSaved: false);

    /// <returns>Why it could not be written, as a line for the operator; null when it was.</returns>
    private string? TrySave(string text)
    {
        try
        {
            AtomicFile.Write(_file, text);
            _inForce.TakeFile(text);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"it is in force, but {_file} cannot be written: {e.Message} (it lasts until the next reload)";
        }
    }

    private readonly record struct Edited(string? Text, string? WhyNot, ImmutableArray<string> Difference);

    private SharedConfiguration? OpenShared(Configuration configuration, string text)
    {
        if (configuration.Ha is not { SharesConfiguration: true } ha)
            return null;
        SharingShell shell = new(StateChannel.NodeOf(configuration), _file, [.. ha.Peers.Select(p => p.Name)], AskPeerAsync, Validate, ApplyText,
            problems => ReloadResult.Refused(Current, problems));
        SharedConfiguration? shared = SharedConfiguration.TryOpen(shell, ha, text, _time, _log, out string? whyNot);
        if (shared is null)
            Log.NotSharing(_log, whyNot!);
        return shared;
    }

    private Task<byte[]?> AskPeerAsync(string peer, byte[] question) => _channel?.AskAsync(peer, question, PeerPatience) ?? Task.FromResult<byte[]?>(null);

    private ReloadResult ReloadHere()
    {
        lock (_configuring)
            return OfFile(Reload(ConfigurationFile.LoadToRun(_file, out string? text)), text!);
    }

    // The text of the file, already there or about to be.
    private ReloadResult ApplyText(string text)
    {
        lock (_configuring)
            return OfFile(Reload(ConfigurationFile.CheckToRun(_file, text)), text);
    }

    private ReloadResult OfFile(ReloadResult result, string text) => !result.Applied ? result : result with
    {
        Warnings =
        [
            .. result.Warnings,
            .. _inForce.TakeFile(text).Select(lost => $"no longer in force, for it was not in the file: {lost.Words} (by {lost.By}, {lost.At.UtcDateTime:u})"),
        ],
    };

    // As a reload would, up to where it would change anything.
    private string[] Validate(string text)
    {
        CheckedConfiguration read = ConfigurationFile.CheckToRun(_file, text);
        if (read.Meant is not { } wanted)
            return [.. read.Problems.Select(p => p.Format(_file))];
        lock (_changing)
        {
            Snapshot before = Current;
            Snapshot after = before.Next(FitToDescriptors(wanted, before.Workers), _board); // no key of cookies is made for what is only looked at
            IReadOnlyList<ListenProblem> problems = _proxy.Prepare(after, _roles.Current);
            _proxy.DropPrepared();
            _board.Forget(before);
            return [.. problems.Select(Sentence)];
        }
    }

    private ReloadResult Reload(CheckedConfiguration read)
    {
        lock (_changing)
        {
            if (_isStopping)
                return ReloadResult.Refused(Current, ["the daemon is shutting down (start it again with the new file)"]);
            return read.Meant is { } wanted ? PutInForce(wanted, read.Warnings) : ReloadResult.Refused(Current, read.Problems.Select(p => p.Format(_file)));
        }
    }

    private ReloadResult PutInForce(Configuration wanted, ImmutableArray<Problem> warnings)
    {
        Snapshot before = Current;
        Snapshot after = before.Next(FitToDescriptors(_cookieKeys.Resolve(wanted), before.Workers), _board);
        RoleSet roles = _roles.Current;
        IReadOnlyList<ListenProblem> problems = _proxy.Prepare(after, roles);
        if (problems.Count > 0)
        {
            _board.Forget(before);
            return ReloadResult.Refused(before, problems.Select(Sentence));
        }

        _notifier.Apply(ReceiversOf(wanted)); // before the first turn that could have something for them
        _states.Publish(after);
        _weights.Turn();
        _proxy.Apply(after);
        _health.Apply(after, roles);
        _packets?.Apply(after, PacketRoles(roles));
        _board.Forget(after);
        bool haIsApplied = wanted.Ha is { } ha ? _failover?.TryApply(ha) ?? false : _failover is null;
        return ReloadResult.Between(before, after, [.. warnings.Select(w => w.FormatWarning(_file)), .. NeedsRestart(before, wanted, haIsApplied)]);
    }

    private IEnumerable<string> NeedsRestart(Snapshot before, Configuration wanted, bool haIsApplied)
    {
        if (WorkersOf(wanted) != before.Workers)
            yield return $"workers stays {before.Workers} until the daemon is restarted (the file now means {WorkersOf(wanted)})";
        if (wanted.AdminSocket != _adminSocket)
            yield return $"admin.socket stays as it was until the daemon is restarted (the file now says {wanted.AdminSocket})";
        if (wanted.Packets != _packets?.Settings)
            yield return "packets stays as it was until the daemon is restarted (which interrupts no flow)";
        if (_stateFile is not null && wanted.StateFile != _stateFile)
            yield return $"stateFile stays as it was until the daemon is restarted (the file now says {wanted.StateFile})";
        if (!haIsApplied)
            yield return "ha stays as it was until the daemon is restarted: only priority and preempt can be changed without a change of roles (hand over first: bascule handover --all)";
    }

    private async Task<ReloadResult> SayAsync(Task<ReloadResult> change)
    {
        ReloadResult result = await change;
        Say(result);
        return result;
    }

    private void Say(ReloadResult result)
    {
        foreach (string problem in result.Problems)
            Log.ReloadProblem(_log, problem);
        foreach (string warning in result.Warnings)
            Log.ReloadWarning(_log, warning);
        if (result.Applied)
            Log.Reloaded(_log, result.Summary());
        else
            Log.NotReloaded(_log);
    }

    /// <summary>Holds the connections of a worker to what the process may open.</summary>
    private Configuration FitToDescriptors(Configuration configuration, int workers)
    {
        Limits limits = configuration.Limits;
        int held = Descriptors.ConnectionsPerWorker(configuration, workers, _filesAllowed);
        if (held == limits.ConnectionsPerWorker)
            return configuration;
        Log.DescriptorsAreFew(_log, held, limits.ConnectionsPerWorker, _filesAllowed);
        return configuration with { Limits = limits with { ConnectionsPerWorker = held } };
    }
}
