using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Nodes;
using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>Bytes written as text, which is UTF-8.</summary>
/// <param name="longest">Bytes at most.</param>
internal sealed class BytesForm(int longest) : ValueForm<ValueList<byte>>
{
    public override string Words => $"a text of 1 to {longest} bytes";

    public override Complaint? Parse(string name, string text, [MaybeNull] out ValueList<byte> value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        value = new([.. bytes]);
        if (bytes.Length == 0)
            return new($"`{name}` is an empty text", $"expected: {Words}");
        return bytes.Length > longest ? new($"`{name}` is {bytes.Length} bytes long", $"at most {longest} are possible") : null;
    }

    public override string Write(ValueList<byte> value) => Encoding.UTF8.GetString(value.AsImmutableArray().AsSpan());

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number", "boolean"), ["maxLength"] = longest };
}

/// <summary>Bytes written as hexadecimal digits, with or without spaces between them.</summary>
/// <param name="longest">Bytes at most.</param>
internal sealed class HexForm(int longest) : ValueForm<ValueList<byte>>
{
    public override string Words => "bytes as pairs of hexadecimal digits, such as 0d 0a";

    public override Complaint? Parse(string name, string text, [MaybeNull] out ValueList<byte> value)
    {
        value = [];
        string digits = text.Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length == 0 || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
            return new($"`{name}: {Show.Safe(text)}` is not a row of bytes", $"expected: {Words}");
        value = new([.. Convert.FromHexString(digits)]);
        return value.Count > longest ? new($"`{name}` is {value.Count} bytes long", $"at most {longest} are possible") : null;
    }

    public override string Write(ValueList<byte> value) => Convert.ToHexStringLower(value.AsImmutableArray().AsSpan());

    // YAML calls 0000 a number; here it is digits.
    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number"), ["pattern"] = "^ *([0-9A-Fa-f] *[0-9A-Fa-f] *)+$" };
}
