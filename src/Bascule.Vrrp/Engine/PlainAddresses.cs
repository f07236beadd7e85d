using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Netlink;

namespace Bascule.Vrrp.Engine;

/// <summary>Puts the addresses of an instance on its interface and takes them off. Failover thread only.</summary>
internal sealed class PlainAddresses(HaInstance configured, Network network)
{
    /// <summary>Takes off what a former life left.</summary>
    public void Clean(int interfaceIndex) => Drop(interfaceIndex);

    public Errno Take(int interfaceIndex)
    {
        Errno worst = Errno.None;
        foreach (VirtualAddress address in configured.Addresses)
        {
            Errno error = network.AddAddress(new(interfaceIndex, address.Address, address.PrefixLength));
            if (error is not (Errno.None or Errno.Exists))
                worst = error;
        }

        return worst;
    }

    public void Drop(int interfaceIndex)
    {
        foreach (VirtualAddress address in configured.Addresses)
            network.RemoveAddress(new(interfaceIndex, address.Address, address.PrefixLength));
    }
}
