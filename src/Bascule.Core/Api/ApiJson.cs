using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bascule.Core.Model;

namespace Bascule.Core.Api;

/// <summary>How the contract is written as JSON: camelCase, indented for people, null members kept so that every member is always there.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    Converters = [typeof(CamelCaseNames<ForwardOutcome>), typeof(CamelCaseNames<RealServerState>), typeof(CamelCaseNames<VirtualServerProtocol>)])]
[JsonSerializable(typeof(DirectorStatus))]
[JsonSerializable(typeof(ReloadResult))]
[JsonSerializable(typeof(VersionInfo))]
[JsonSerializable(typeof(ApiError))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>What writes it. Plus signs and quotes stay readable: it goes to terminals and programs, never into a web page.</summary>
    public static ApiJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>Enum members by name, as camelCase: <c>quiesced</c>, <c>clientSentBadRequest</c>.</summary>
public sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
