using System.Net;
using Bascule.Core.Roles;

namespace Bascule.Vrrp.Engine;

/// <summary>An instance changed its role.</summary>
/// <param name="Instance">Its name.</param>
/// <param name="From">Before.</param>
/// <param name="To">After.</param>
/// <param name="Reason">Why, as a word.</param>
/// <param name="At">UTC.</param>
public sealed record RoleChange(string Instance, Role From, Role To, TransitionReason Reason, DateTimeOffset At)
{
    /// <summary>Our own priority then.</summary>
    public byte Priority { get; init; }

    /// <summary>Whose advertisement was the last before; null: nobody's.</summary>
    public IPAddress? Heard { get; init; }

    /// <summary>What it said.</summary>
    public byte HeardPriority { get; init; }

    /// <summary>How long ago it said so.</summary>
    public TimeSpan HeardAgo { get; init; }

    /// <summary>What is tracked and not well; null where that is not the reason.</summary>
    public string? Detail { get; init; }

    /// <summary>Why, as half a sentence.</summary>
    public string Why => Reason switch
    {
        TransitionReason.None => "it has not changed yet",
        TransitionReason.Started when To == Role.Active => "it is the owner of the addresses (priority 255)",
        TransitionReason.Started when Detail is { } detail => detail,
        TransitionReason.Started => "it has started, and waits to hear who is Active",
        TransitionReason.Stopped => "it was stopped",
        TransitionReason.Silence when Heard is null => "nobody else is heard",
        TransitionReason.Silence => $"nothing heard from {Heard} for {Words.Of(HeardAgo)}",
        TransitionReason.Goodbye => $"{Heard} said goodbye",
        TransitionReason.Preempted => $"{Heard} serves with priority {HeardPriority}, less than ours ({Priority})",
        TransitionReason.HigherPriority => $"{Heard} serves with priority {HeardPriority}, more than ours ({Priority})",
        TransitionReason.HigherAddress => $"{Heard} serves with the same priority ({Priority}) and a higher address",
        TransitionReason.Overslept => "this director was not run for longer than its lease; another may have taken over",
        TransitionReason.HandedOver => "it was asked to hand over",
        TransitionReason.Tracked => Detail ?? "something that it tracks is not well",
        TransitionReason.SyncGroup => Detail ?? "its sync group changed",
        TransitionReason.AddressRemoved => Detail ?? "somebody took an address off the interface",
        TransitionReason.NotHeard => $"{Heard} is Active too and does not hear us",
    };
}
