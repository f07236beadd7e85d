using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Where clients connect: an IP address with a port, a range of ports, or <c>*</c> for every port.</summary>
internal sealed partial class ListenForm : ValueForm<ListenAddress>
{
    public override string Words => "an IP address and a port, such as 192.0.2.10:80, 192.0.2.10:8000-8099 or \"[2001:db8::1]:80\"";

    public override Complaint? Parse(string name, string text, [MaybeNull] out ListenAddress value)
    {
        value = null;
        Match range = Range().Match(text);
        if (AddressForm.Listener.Parse(name, range.Success ? range.Groups["first"].Value : text, out WrittenAddress? first) is { } wrong)
            return wrong;
        IPEndPoint begin = first!.WithPort(0); // the form requires a port
        if (!range.Success)
        {
            value = new(begin);
            return null;
        }

        if (!int.TryParse(range.Groups["last"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int last) || last is 0 or > 65535)
            return new($"{Show.Quoted(text)} has the port {Show.Safe(range.Groups["last"].Value)}, which does not exist", "write numbers from 1 to 65535");
        if (last < begin.Port)
            return new($"{Show.Quoted(text)} ends before it begins", $"write {new ListenAddress(begin.Address, last, begin.Port)}");
        value = new(begin.Address, begin.Port, last);
        return value.Ports <= ListenAddress.MostPorts ? null
            : new($"{Show.Quoted(text)} has {value.Ports} ports, and one range has at most {ListenAddress.MostPorts}", "write several ranges, or, on the packet datapath, `*` for every port");
    }

    public override string Write(ListenAddress value) => value.ToString();

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = @"^(\*|[0-9.]+|\[[0-9A-Fa-f:.]+\]):([0-9]+(-[0-9]+)?|\*)$" };

    // The last colon that only a number and a range follow; what is before is any address, and AddressForm says what is wrong with it.
    [GeneratedRegex(@"^(?<first>.*:[0-9]+)-(?<last>[0-9]+)$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Range();
}

/// <summary>A value with its place, for sentences about one item of a list.</summary>
internal sealed record Placed<T>(T Value, Location At);

/// <summary>A value of which the place is kept.</summary>
internal sealed class PlacedForm<T>(Form<T> form) : Form<Placed<T>>
{
    public override string Words => form.Words;

    public override JsonObject Schema() => form.Schema();

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out Placed<T> value)
    {
        bool isRead = form.TryRead(node, name, problems, out T? inner);
        value = isRead ? new(inner!, node.At) : null;
        return isRead;
    }

    public override string Write(Placed<T> value) => form.Write(value.Value);

    public override JsonNode WriteJson(Placed<T> value) => form.WriteJson(value.Value);
}
