using System.Collections.Immutable;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Core.States;

/// <summary>Orders as text: one object, readable by people, in the order of their targets.</summary>
public static class StateFile
{
    /// <summary>Writes it.</summary>
    public static string Write(IEnumerable<StateOrder> orders) => JsonSerializer.Serialize(
        new StateFileText([.. orders.OrderBy(o => o.Target.ToString(), StringComparer.Ordinal).Select(StateLine.Of)]), StateJson.Readable.StateFileText) + "\n";

    /// <summary>Reads it; null when it is none.</summary>
    public static ImmutableArray<StateOrder>? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, StateJson.Readable.StateFileText) is { States: { IsDefault: false } lines } && !lines.Contains(null!)
                ? [.. lines.Select(l => l.Order())]
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads one order, of whatever bytes; null when they are none.</summary>
    public static StateOrder? ReadLine(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, StateJson.Lines.StateLine)?.Order();
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>The file.</summary>
/// <param name="States">What was said of each.</param>
internal sealed record StateFileText(ImmutableArray<StateLine> States);

/// <summary>One order, as written.</summary>
internal sealed record StateLine(
    string VirtualServer, string? RealServer, AdministrativeState State, string By, DateTimeOffset At, string Why, long Number, AdministrativeState? Over, bool IsSpent)
{
    public static StateLine Of(StateOrder order) => new(order.Target.VirtualServer, order.Target.RealServer?.ToString(), order.State, order.By, order.At, order.Why, order.Number, order.Over, order.IsSpent);

    /// <exception cref="FormatException">The address is none.</exception>
    public StateOrder Order() => new()
    {
        Target = new(VirtualServer, RealServer is null ? null : IPEndPoint.Parse(RealServer)),
        State = State,
        By = By,
        At = At,
        Why = Why,
        Number = Number,
        Over = Over,
        IsSpent = IsSpent,
    };
}

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, Converters = [typeof(CamelCaseNames<AdministrativeState>)])]
[JsonSerializable(typeof(StateFileText))]
[JsonSerializable(typeof(StateLine))]
internal sealed partial class StateJson : JsonSerializerContext
{
    /// <summary>Plus signs and quotes stay readable: it goes into a file, never into a web page.</summary>
    public static StateJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The same without line breaks.</summary>
    public static StateJson Lines => field ??= new(new JsonSerializerOptions(Readable.Options) { WriteIndented = false });
}
