using System.Collections.Immutable;
using Bascule.Core.Model;
using P = Bascule.Core.Config.PersistenceSection;

namespace Bascule.Core.Config;

/// <summary>What is allowed and most likely not wanted of persistence.</summary>
internal static class PersistenceWarnings
{
    /// <summary>All of them, in the order of the file.</summary>
    public static ImmutableArray<Problem> Of(Fields file, Configuration meant)
    {
        ProblemList warnings = new();
        foreach ((VirtualServer virtualServer, Named written) in meant.VirtualServers.Zip(file.Get(RootSection.VirtualServers)))
        {
            if (virtualServer.Persistence is not CookiePersistence cookie)
                continue;
            Fields section = written.Fields.Get(VirtualServerSection.Persistence);
            if (cookie is { SameSite: SameSite.None, IsSecure: false })
                warnings.Add(section.AtOf(P.SameSite), "browsers refuse a cookie with SameSite=None that is not Secure (RFC 6265bis §5.6.7)", "add `secure: true`, or write `sameSite: lax`");
            if (meant.VirtualServers.TakeWhile(v => v != virtualServer).FirstOrDefault(v => Disturbs(v, virtualServer, cookie)) is { } other)
                warnings.Add(section.AtOf(P.Name), $"`{other.Name}` has the same address and a cookie of the same name, but other real servers; browsers keep one cookie for all ports of a host (RFC 6265 §8.5), so each would undo the other's", "write another `name` for one of them");
        }

        return warnings.Sorted();
    }

    private static bool Disturbs(VirtualServer one, VirtualServer other, CookiePersistence cookie) =>
        one.Persistence is CookiePersistence its && its.Name == cookie.Name
        && one.Addresses.Select(a => a.Ip).Intersect(other.Addresses.Select(a => a.Ip)).Any()
        && !one.RealServers.Select(r => r.Address).ToHashSet().SetEquals(other.RealServers.Select(r => r.Address));
}
