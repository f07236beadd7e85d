using Bascule.Core.Model;

namespace Bascule.Notify;

/// <summary>Delivers letters in one way.</summary>
internal abstract class Carrier
{
    /// <summary>Whether a letter that may not have arrived is sent again. A program that failed may have done half of its work.</summary>
    public abstract bool MayRepeat { get; }

    /// <summary>Delivers one.</summary>
    /// <returns>Null, or why not.</returns>
    public abstract Task<string?> DeliverAsync(Letter letter, CancellationToken cancellation);

    /// <summary>Ends what it keeps open.</summary>
    public virtual void Close()
    {
    }

    public static Carrier For(Receiver receiver, TimeProvider time) => receiver.Way switch
    {
        CommandWay command => new CommandCarrier(_ => command.Command, receiver.Timeout, time),
        QuorumWay quorum => new CommandCarrier(change => quorum.CommandFor(change)!, receiver.Timeout, time),
        WebhookWay webhook => new WebhookCarrier(webhook),
        SyslogWay syslog => new SyslogCarrier(syslog),
        EmailWay email => new EmailCarrier(email),
        _ => throw new ArgumentOutOfRangeException(nameof(receiver), receiver.Way, "there is no such way"),
    };
}
