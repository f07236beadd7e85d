using Bascule.Linux;

namespace Bascule.Vrrp.Engine;

/// <summary>What the failover thread tells a reader that has time to write it down.</summary>
internal abstract record News;

/// <summary>An instance changed its role.</summary>
internal sealed record RoleChanged(RoleChange Change) : News;

/// <summary>An instance cannot take part yet.</summary>
internal sealed record NotStarted(string Instance, string Why) : News;

/// <summary>What was found or could not be done about an instance's addresses.</summary>
internal sealed record AddressTrouble(string Instance, string What) : News;

/// <summary>An address that was taken off by somebody else is back.</summary>
internal sealed record AddressPutBack(string Instance) : News;

/// <summary>Something that nobody foresaw; the thread goes on.</summary>
internal sealed record TurnBroke(Exception Why) : News;

/// <summary>A peer's heartbeats say something else of a handover.</summary>
internal sealed record HandoverWordHeard(string Instance) : News;

/// <summary>What the machine does not allow.</summary>
internal sealed record NotAllowed(string What, Errno Error) : News;
