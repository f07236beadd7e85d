using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using I = Bascule.Core.Config.HaInstanceSection;

namespace Bascule.Core.Config;

/// <summary>What must hold inside one instance.</summary>
internal static class HaInstanceRules
{
    /// <summary>RFC 9568 §5.2.5: the count of addresses is one byte.</summary>
    private const int MostAddresses = 255;

    public static void Relate(string name, Fields fields, ProblemList problems)
    {
        RelateVersion(fields, problems);
        RelateAddresses(name, fields, problems);
        if (Family(fields) is { } family)
            RelateFamily(name, family, fields, problems);
        RefuseTrackedTwice(fields, problems);
    }

    /// <summary>The family that its messages are in: that of the first address that is not excluded; null where none is good.</summary>
    public static AddressFamily? Family(Fields fields) =>
        (fields.FindValue(I.Addresses) ?? []).Where(IsNamed).Select(a => a.FindValue(HaAddressSection.Address)?.Ip.AddressFamily).FirstOrDefault(f => f is not null);

    private static bool IsNamed(Fields address) => !address.IsBroken(HaAddressSection.Excluded) && !address.Get(HaAddressSection.Excluded);

    private static void RelateVersion(Fields fields, ProblemList problems)
    {
        if (fields.IsBroken(I.Version))
            return;
        int version = fields.Get(I.Version);
        if (fields.FindValue(I.AdvertInterval) is { } interval && WrongInterval(version, interval) is { } wrong)
            problems.Add(fields.AtOf(I.AdvertInterval), wrong);
        if (version == 2 && fields.IsWritten(I.Checksum))
            problems.Add(fields.AtOf(I.Checksum), "`checksum` is for version 3; version 2 has one form only", "remove it");
        if (!fields.IsWritten(I.Authentication) || fields.IsBroken(I.Authentication))
            return;
        Fields authentication = fields.Get(I.Authentication);
        if (version == 3 && authentication.IsWritten(HaAuthSection.Password))
            problems.Add(authentication.AtOf(HaAuthSection.Password), "version 3 has no password (RFC 9568 §9)", "write `hmac`, or `version: 2` on all directors");
        if (version == 2 && authentication.IsWritten(HaAuthSection.Hmac))
            problems.Add(authentication.AtOf(HaAuthSection.Hmac), "`hmac` is for version 3", "write `password`, or `version: 3` on all directors");
    }

    private static Complaint? WrongInterval(int version, TimeSpan interval)
    {
        if (version == 2)
            return interval.Ticks % TimeSpan.TicksPerSecond == 0 ? null : new("version 2 counts `advertInterval` in whole seconds", "write whole seconds, or `version: 3`");
        if (interval > I.LongestInterval)
            return new("`advertInterval` is longer than version 3 can say", "write at most 40s950ms");
        return interval.Ticks % (10 * TimeSpan.TicksPerMillisecond) == 0 ? null : new("version 3 counts `advertInterval` in hundredths of a second", "write a multiple of 10ms");
    }

    private static void RelateAddresses(string name, Fields fields, ProblemList problems)
    {
        ImmutableArray<Fields> addresses = fields.FindValue(I.Addresses) ?? [];
        if (addresses.IsEmpty)
            return;
        ImmutableArray<Fields> named = [.. addresses.Where(IsNamed)];
        if (named.IsEmpty && addresses.All(a => !a.IsBroken(HaAddressSection.Excluded)))
            problems.Add(fields.AtOf(I.Addresses), $"every address of `{name}` is excluded, so its messages would name none", "leave at least one that is not `excluded`");
        if (named.Length > MostAddresses)
            problems.Add(named[MostAddresses].At, $"a message has room for {MostAddresses} addresses, and this is one more", "write `excluded: true` for those that need not be named");
        foreach (IGrouping<IPAddress, Fields> same in addresses.Where(a => a.FindValue(HaAddressSection.Address) is not null).GroupBy(a => a.Get(HaAddressSection.Address).Ip).Where(g => g.Count() > 1))
            problems.Add(same.ElementAt(1).AtOf(HaAddressSection.Address), $"`{name}` has {same.Key} twice", "keep one");
        foreach (Fields address in addresses)
            RelateLabel(fields, address, problems);
    }

    private static void RelateLabel(Fields fields, Fields address, ProblemList problems)
    {
        if (address.Find(HaAddressSection.Label) is not { } label || (address.Find(HaAddressSection.Interface) ?? fields.Find(I.Interface)) is not { } on || fields.IsBroken(I.VirtualMac))
            return;
        if (!fields.Get(I.VirtualMac) && label != on && !label.StartsWith(on + ":", StringComparison.Ordinal))
            problems.Add(address.AtOf(HaAddressSection.Label), $"{Show.Quoted(label)} does not begin with the name of its interface, {on}, as labels have to (ip-address(8))", $"write \"{on}:\" and a few letters");
    }

    private static void RelateFamily(string name, AddressFamily family, Fields fields, ProblemList problems)
    {
        string ours = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
        foreach (Fields address in (fields.FindValue(I.Addresses) ?? []).Where(IsNamed))
        {
            if (address.FindValue(HaAddressSection.Address) is { } other && other.Ip.AddressFamily != family)
                problems.Add(address.AtOf(HaAddressSection.Address), $"{other.Ip} is {Show.FamilyOf(other.Ip)}, and the first address of `{name}` is {ours}; a message holds one family", $"write `{{ address: \"{other.Ip}/{other.Length}\", excluded: true }}`, or make an instance of its own for it");
        }

        foreach (IPAddress other in (fields.FindValue(I.Unicast) ?? []).Where(u => u.AddressFamily != family))
            problems.Add(fields.AtOf(I.Unicast), $"{other} is {Show.FamilyOf(other)}, and the messages of `{name}` are {ours}", $"write the {ours} address of that director");
        if (fields.Find(I.Source) is { } source && source.AddressFamily != family)
            problems.Add(fields.AtOf(I.Source), $"`source` is {Show.FamilyOf(source)}, and the messages of `{name}` are {ours}", $"write an {ours} address of this machine");
        if (family == AddressFamily.InterNetworkV6 && fields.FindValue(I.Version) == 2)
            problems.Add(fields.AtOf(I.Version), "version 2 knows no IPv6", "write `version: 3`");
        RelateUnicast(name, fields, problems);
    }

    private static void RelateUnicast(string name, Fields fields, ProblemList problems)
    {
        HashSet<IPAddress> virtualOnes = [.. (fields.FindValue(I.Addresses) ?? []).Select(a => a.FindValue(HaAddressSection.Address)?.Ip).OfType<IPAddress>()];
        ImmutableArray<IPAddress> unicast = fields.FindValue(I.Unicast) ?? [];
        foreach (IPAddress twice in unicast.GroupBy(u => u).Where(g => g.Count() > 1).Select(g => g.Key))
            problems.Add(fields.AtOf(I.Unicast), $"{twice} is listed twice", "keep one");
        foreach (IPAddress moving in unicast.Distinct().Where(virtualOnes.Contains))
            problems.Add(fields.AtOf(I.Unicast), $"{moving} is an address that moves, so it names no director", "write the other director's own address");
        if (fields.Find(I.Source) is not { } source)
            return;
        if (unicast.Contains(source))
            problems.Add(fields.AtOf(I.Unicast), $"{source} is our own `source`", "list the other directors only");
        // Priority 255 says that the addresses are this machine's own: then it may well speak from one.
        if (virtualOnes.Contains(source) && !fields.IsBroken(I.Priority) && fields.Get(I.Priority) != 255)
            problems.Add(fields.AtOf(I.Source), $"{source} is an address of `{name}` that moves, so a Backup could not speak from it", "write an address that this machine always has");
    }

    private static void RefuseTrackedTwice(Fields fields, ProblemList problems)
    {
        HashSet<string> scripts = [];
        foreach (Fields item in fields.FindValue(I.Track) ?? [])
        {
            if (item.FindValue(HaTrackSection.Script) is [var program, ..] && !scripts.Add(item.Find(HaTrackSection.Name) ?? Path.GetFileName(program)))
                problems.Add(item.At, $"another script that is tracked here is called {Show.Quoted(item.Find(HaTrackSection.Name) ?? Path.GetFileName(program))}, too", "give one of them another `name`");
        }
    }
}
