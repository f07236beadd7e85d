using Bascule.Linux;

namespace Bascule.Vrrp.Engine;

/// <summary>What the failover thread tells a reader that has time to write it down.</summary>
internal abstract record News;

/// <summary>An instance changed its role.</summary>
internal sealed record RoleChanged(Transition Transition) : News;

/// <summary>An instance cannot take part yet.</summary>
internal sealed record NotStarted(string Instance, string Why) : News;

/// <summary>The kernel refused an address.</summary>
internal sealed record AddressesNotTaken(string Instance, string Interface, Errno Error) : News;

/// <summary>Something that nobody foresaw; the thread goes on.</summary>
internal sealed record TurnBroke(Exception Why) : News;

/// <summary>What the machine does not allow.</summary>
internal sealed record NotAllowed(string What, Errno Error) : News;
