namespace Bascule.Vrrp.Handover;

/// <summary>What a director says of one instance in its heartbeats while it is handed over on purpose. Fits 4 bits.</summary>
public enum HandoverWord : byte
{
    /// <summary>Nothing is being handed over.</summary>
    None = 0,

    /// <summary>The Active one: be ready to pass on to me what belongs to connections that I have.</summary>
    Asks = 1,

    /// <summary>The Backup: I am.</summary>
    Ready = 2,

    /// <summary>The Backup: I cannot.</summary>
    Cannot = 3,

    /// <summary>The one that was Active: connections are open here yet.</summary>
    Drains = 4,
}
