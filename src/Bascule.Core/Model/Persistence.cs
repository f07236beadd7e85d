namespace Bascule.Core.Model;

/// <summary>The same client returns to the same real server: by its source address, whatever the scheduler would say.</summary>
public sealed record Persistence
{
    /// <summary>After the client's last connection or packet. Whole seconds, at least one.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5); // ipvsadm(8): 300 seconds

    /// <summary>Leading bits of an IPv4 address that make one client. 1 to 32.</summary>
    public int Mask4 { get; init; } = 32;

    /// <summary>Leading bits of an IPv6 address that make one client. 1 to 128.</summary>
    public int Mask6 { get; init; } = 128;

    /// <summary>A client whose real server is quiesced is scheduled anew; otherwise it goes on returning to it.</summary>
    public bool ExpireQuiescent { get; init; } // IPVS: expire_quiescent_template is 0
}
