namespace Bascule.Core.Roles;

/// <summary>What a director is for the addresses of an instance. RFC 9568 §6.3.</summary>
public enum Role
{
    /// <summary>Not started, or held back by what it tracks (keepalived calls that FAULT).</summary>
    Initialize,

    /// <summary>Listens, ready to take over.</summary>
    Backup,

    /// <summary>Has the addresses.</summary>
    Active,
}

/// <summary>Why the role changed last.</summary>
public enum TransitionReason
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>Started: as Backup, or as the owner of the addresses.</summary>
    Started,

    /// <summary>Stopped.</summary>
    Stopped,

    /// <summary>Nothing heard from the Active router for the whole Active_Down_Interval.</summary>
    Silence,

    /// <summary>The Active router said goodbye.</summary>
    Goodbye,

    /// <summary>Only a weaker router serves, and this one preempts.</summary>
    Preempted,

    /// <summary>A router of higher priority serves.</summary>
    HigherPriority,

    /// <summary>One of equal priority and a higher address serves.</summary>
    HigherAddress,

    /// <summary>It slept longer than its lease.</summary>
    Overslept,

    /// <summary>It was asked to hand over.</summary>
    HandedOver,

    /// <summary>Something that is tracked, with weight 0, is not well.</summary>
    Tracked,

    /// <summary>Its sync group changed.</summary>
    SyncGroup,

    /// <summary>Somebody else took an address off the interface.</summary>
    AddressRemoved,

    /// <summary>The other director is Active and does not hear us: it cannot know, so we give way.</summary>
    NotHeard,
}
