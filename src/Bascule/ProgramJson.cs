using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bascule.Commands;
using Bascule.Simulation;

namespace Bascule;

/// <summary>JSON that only the command line writes; the daemon's contract is in <see cref="Core.Api.ApiJson"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(Forecast))]
internal sealed partial class ProgramJson : JsonSerializerContext
{
    /// <inheritdoc cref="Core.Api.ApiJson.Readable"/>
    public static ProgramJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
