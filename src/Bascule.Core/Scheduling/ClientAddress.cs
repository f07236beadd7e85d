namespace Bascule.Core.Scheduling;

/// <summary>The source of a connection, in a form that costs nothing to pass around.</summary>
/// <param name="High">First 64 bits of an IPv6 address in network order; 0 for IPv4.</param>
/// <param name="Low">Last 64 bits of an IPv6 address; for IPv4 the 32-bit address.</param>
/// <param name="Port">Source port.</param>
/// <param name="IsIpv4">Which family.</param>
public readonly record struct ClientAddress(ulong High, ulong Low, ushort Port, bool IsIpv4);
