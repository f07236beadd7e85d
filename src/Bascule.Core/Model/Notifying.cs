using System.Net;

namespace Bascule.Core.Model;

/// <summary>What a notification is about.</summary>
public enum NotificationType
{
    /// <summary>An instance of <c>ha</c> changed its role: <c>active</c>, <c>backup</c>, <c>initialize</c>.</summary>
    Instance,

    /// <summary>A real server changed: <c>up</c>, <c>down</c>; or an operator wants something else of it: <c>enable</c>, <c>drain</c>, <c>maintenance</c>. Its name is <c>web/10.0.0.11:8080</c>.</summary>
    RealServer,

    /// <summary>A virtual server changed: an operator wants something else of it as a whole: <c>enable</c>, <c>drain</c>, <c>maintenance</c>; it gained or lost its quorum: <c>up</c>, <c>down</c>; or others serve than before: <c>main</c>, <c>fallback</c>, <c>everybody</c>, <c>sorry</c>, <c>nobody</c>.</summary>
    VirtualServer,

    /// <summary>The director itself: <c>started</c>, <c>stopping</c>.</summary>
    Director,
}

/// <summary>One change of state, told once.</summary>
/// <param name="Type">What it is about.</param>
/// <param name="Name">Which one.</param>
/// <param name="State">What it is now: a word.</param>
/// <param name="Why">A sentence.</param>
/// <param name="At">When it changed, UTC.</param>
public sealed record Notification(NotificationType Type, string Name, string State, string Why, DateTimeOffset At);

/// <summary>Who is told of changes of state, and of which.</summary>
public sealed record Receiver
{
    /// <summary>The key under <c>notify</c>.</summary>
    public required string Name { get; init; }

    /// <summary>How it is told.</summary>
    public required Way Way { get; init; }

    /// <summary>Of what; never empty.</summary>
    public required ValueList<NotificationType> On { get; init; }

    /// <summary>How long it may take to be told one thing.</summary>
    public required TimeSpan Timeout { get; init; }
}

/// <summary>How a receiver is told.</summary>
public abstract record Way
{
    /// <summary>Whether there is something to do for this; what there is not never waits for its turn.</summary>
    public virtual bool IsFor(Notification change) => true;
}

/// <summary>A program, started with the arguments TYPE NAME STATE WHY after its own.</summary>
public sealed record CommandWay(ValueList<string> Command) : Way;

/// <summary>
/// A program for each of two states of one virtual server, started as that of a <see cref="CommandWay"/>; one after the other. Other states and other virtual
/// servers start nothing.
/// </summary>
/// <param name="VirtualServer">Whose state it is about.</param>
/// <param name="Up">For <c>up</c>; null: none.</param>
/// <param name="Down">For <c>down</c>; null: none.</param>
public sealed record QuorumWay(string VirtualServer, ValueList<string>? Up, ValueList<string>? Down) : Way
{
    /// <inheritdoc/>
    public override bool IsFor(Notification change) => CommandFor(change) is not null;

    /// <summary>The program for this; null: none.</summary>
    public ValueList<string>? CommandFor(Notification change) => (change.Type, change.State) switch
    {
        _ when change.Type != NotificationType.VirtualServer || change.Name != VirtualServer => null,
        (_, "up") => Up,
        (_, "down") => Down,
        _ => null,
    };
}

/// <summary>A POST with a JSON object.</summary>
public sealed record WebhookWay(Uri Address) : Way;

/// <summary>A line in the system's log. RFC 5424 over UDP (RFC 5426); to the machine's own log as its library does it.</summary>
/// <param name="Server">Null: this machine's, by <c>/dev/log</c>.</param>
public sealed record SyslogWay(IPEndPoint? Server) : Way;

/// <summary>A letter. RFC 5321.</summary>
/// <param name="Server">Name or address of the mail server.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="From">The sender's address.</param>
/// <param name="To">At least one.</param>
/// <param name="StartTls">Whether the connection must be encrypted first. RFC 3207.</param>
public sealed record EmailWay(string Server, int Port, string From, ValueList<string> To, bool StartTls) : Way;
