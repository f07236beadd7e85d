using System.Net;
using Bascule.Core.Model;

namespace Bascule.Vrrp.Handover;

/// <summary>One instance being handed over, from here or to here: does what its two sides say. The desk's task only, but for what is marked.</summary>
internal sealed class Transfer
{
    private static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan CountEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10); // for what ends by itself if nobody ends it

    private readonly HandoverDesk _desk;
    private readonly HashSet<IPAddress> _addresses;
    private readonly QuietAddresses _quiet;
    private readonly Relay _relay;
    private readonly TakingSide _taking;
    private GivingSide? _giving;
    private TaskCompletionSource<HandoverAnswer>? _left;
    private TaskCompletionSource? _ended;
    private string? _whyNotQuiet;
    private bool? _isMade;
    private TimeSpan _countedAt;
    private volatile int _open;
    private volatile bool _isDraining;

    public Transfer(HaInstance instance, int number, HandoverDesk desk)
    {
        (Instance, _desk) = (instance, desk);
        _addresses = [.. instance.Addresses.Select(a => a.Address)];
        _quiet = new(instance, number, desk.Tables);
        _relay = new(instance, number, desk.Tables);
        _taking = new(desk.Settings.HandoverTimeout + Margin);
    }

    public HaInstance Instance { get; }

    /// <summary>Gave the addresses away, or is about to, and serves what is open yet. Any thread.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Connections that were open when it was looked last. Any thread.</summary>
    public int Open => _open;

    /// <summary>Whether it has to be looked at every moment.</summary>
    public bool IsBusy => _giving is not null || IsTaking;

    /// <summary>It was given to us a short time ago, and the other one has connections open yet. Any thread.</summary>
    public bool IsTaking => _taking.Step != TakingStep.Idle;

    /// <summary>Whether it would leave now; also when it is not handed over at all.</summary>
    public bool IsReadyToLeave => _giving is null or { Step: >= GivingStep.Together };

    /// <summary>Completes when nothing is open here any more.</summary>
    public Task Ended => _ended?.Task ?? Task.CompletedTask;

    private bool IsActive => _desk.Board.Current.Serves(Instance.Addresses[0].Address);

    /// <summary>Begins to give.</summary>
    /// <returns>Completes when another director has been asked to take over; null where this one is not Active.</returns>
    public Task<HandoverAnswer>? Give()
    {
        if (_giving is not null || !IsActive)
            return _left is { Task.IsCompleted: false } ? _left.Task : null;
        _giving = new(AskPatience, _desk.Settings.HandoverTimeout);
        _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _whyNotQuiet = null;
        return _left.Task;
    }

    /// <summary>Looks at both sides, and does what is due.</summary>
    public async Task TurnAsync()
    {
        TimeSpan now = _desk.Now;
        while (_taking.Next(TakingFacts(), now))
            await DoAsync(_taking.Step);
        while (_giving is { } giving && giving.Next(GivingFacts(giving, now), now))
            await DoAsync(giving);
    }

    /// <summary>Removes what is there for a handover, whatever comes of it.</summary>
    public async Task EndAsync()
    {
        if (_giving is { Step: >= GivingStep.BeQuiet and < GivingStep.Done, WhyPlain: null })
            await EndDrainingAsync();
        if (IsTaking)
            await _relay.EndAsync();
        _left?.TrySetResult(new(Instance.Name, KeepsConnections: false, "the daemon ends"));
        _ended?.TrySetResult();
    }

    private TakingFacts TakingFacts()
    {
        (HandoverWord word, bool isHeard, _) = _desk.Engine.Heard(Instance.Name);
        return new(isHeard, _giving is null ? word : HandoverWord.None, _isMade);
    }

    private GivingFacts GivingFacts(GivingSide giving, TimeSpan now)
    {
        (HandoverWord word, bool isHeard, _) = _desk.Engine.Heard(Instance.Name);
        if (giving.Step is GivingStep.Drain or GivingStep.CutOff && now - _countedAt >= CountEvery)
            (_open, _countedAt) = (OpenConnections.Of(_addresses).Count, now);
        return new(IsTaking, isHeard, word, _desk.GroupIsReady(Instance.Name), _whyNotQuiet, IsActive, _open);
    }

    private async Task DoAsync(TakingStep step)
    {
        switch (step)
        {
            case TakingStep.Prepare:
                string? why = await _relay.BeginAsync(_desk.PeerAddresses(Instance.Name), OpenConnections.Of(_addresses), _desk.Settings.HandoverTimeout + Margin);
                _isMade = why is null;
                if (why is not null)
                    Log.CannotRelay(_desk.Logger, Instance.Name, why);
                break;
            case TakingStep.Ready:
                Log.Relaying(_desk.Logger, Instance.Name);
                _desk.Engine.Say(Instance.Name, HandoverWord.Ready);
                break;
            case TakingStep.Cannot:
                _desk.Engine.Say(Instance.Name, HandoverWord.Cannot);
                break;
            case TakingStep.Idle:
                if (_isMade == true)
                    await _relay.EndAsync();
                _isMade = null;
                _desk.Engine.Say(Instance.Name, HandoverWord.None);
                break;
        }
    }

    private async Task DoAsync(GivingSide giving)
    {
        switch (giving.Step)
        {
            case GivingStep.Ask:
                _desk.Engine.Say(Instance.Name, HandoverWord.Asks);
                break;
            case GivingStep.BeQuiet:
                _whyNotQuiet = await _quiet.BeginAsync(_desk.Settings.HandoverTimeout + Margin);
                _isDraining = _whyNotQuiet is null; // before the engines hear of the new role, of which another of its group may be the cause
                if (_isDraining)
                    _desk.Engine.Drain(Instance.Name, isDraining: true);
                break;
            case GivingStep.Leave:
                await LeaveAsync(giving);
                break;
            case GivingStep.Drain:
                (_open, _countedAt) = (OpenConnections.Of(_addresses).Count, _desk.Now);
                _desk.Engine.Say(Instance.Name, HandoverWord.Drains);
                break;
            case GivingStep.CutOff:
                Log.CutOff(_desk.Logger, Instance.Name, _open, _desk.Settings.HandoverTimeout.TotalSeconds);
                _desk.CutOff();
                break;
            case GivingStep.End:
                await EndGivingAsync(giving);
                break;
            case GivingStep.Done:
                _giving = null;
                _ended!.SetResult();
                break;
            case GivingStep.Begin or GivingStep.Together:
                break;
        }
    }

    private async Task LeaveAsync(GivingSide giving)
    {
        if (giving.WhyPlain is not null)
            _desk.Engine.Say(Instance.Name, HandoverWord.None);
        await _desk.Engine.HandOverAsync(Instance.Name);
        HandoverAnswer answer = HandoverAnswer.Of(Instance.Name, giving.WhyPlain, _desk.Settings.HandoverTimeout);
        Log.HandedOver(_desk.Logger, Instance.Name, answer.What);
        _left!.SetResult(answer);
    }

    private async Task EndGivingAsync(GivingSide giving)
    {
        if (giving.WhyPlain is not null)
            return;
        await EndDrainingAsync();
        _desk.Engine.Say(Instance.Name, HandoverWord.None);
        _desk.NoteDrained();
        if (IsActive)
            Log.TakenBack(_desk.Logger, Instance.Name);
        else
            Log.Drained(_desk.Logger, Instance.Name, _open);
    }

    private async Task EndDrainingAsync()
    {
        _desk.Engine.Drain(Instance.Name, isDraining: false);
        await _quiet.EndAsync();
        _isDraining = false;
    }
}
