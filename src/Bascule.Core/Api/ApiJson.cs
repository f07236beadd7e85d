using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bascule.Core.Model;
using Bascule.Core.Roles;

namespace Bascule.Core.Api;

/// <summary>How the contract is written as JSON: camelCase, indented for people, null members kept so that every member is always there.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    Converters = [typeof(PlainNames<ForwardOutcome>), typeof(CamelCaseNames<RealServerState>), typeof(CamelCaseNames<VirtualServerProtocol>),
        typeof(CamelCaseNames<AttachMode>), typeof(CamelCaseNames<DropReason>), typeof(CamelCaseNames<ChoiceReason>), typeof(CamelCaseNames<PacketVerdict>),
        typeof(CamelCaseNames<Role>), typeof(CamelCaseNames<TransitionReason>), typeof(CamelCaseNames<Config.Sharing.Standing>),
        typeof(CamelCaseNames<AdministrativeState>), typeof(CamelCaseNames<AdministrationSource>), typeof(CamelCaseNames<Config.Editing.ChangeKind>)])]
[JsonSerializable(typeof(DirectorStatus))]
[JsonSerializable(typeof(ReloadResult))]
[JsonSerializable(typeof(VersionInfo))]
[JsonSerializable(typeof(ApiError))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(ConnectionEntry))]
[JsonSerializable(typeof(ImmutableArray<SessionCount>))]
[JsonSerializable(typeof(SessionCount[]))]
[JsonSerializable(typeof(VirtualServerStatus[]))]
[JsonSerializable(typeof(DetachResult))]
[JsonSerializable(typeof(HaStatus))]
[JsonSerializable(typeof(HandoverResult))]
[JsonSerializable(typeof(ConfigurationReport))]
[JsonSerializable(typeof(ConfigurationDifference))]
[JsonSerializable(typeof(StateRequest))]
[JsonSerializable(typeof(EditRequest))]
[JsonSerializable(typeof(EditResult))]
[JsonSerializable(typeof(StateResult))]
[JsonSerializable(typeof(StateProgress[]))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>What writes it. Plus signs and quotes stay readable: it goes to terminals and programs, never into a web page.</summary>
    public static ApiJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The same without line breaks: one record a line, where there are many.</summary>
    public static ApiJson Lines => field ??= new(new JsonSerializerOptions(Readable.Options) { WriteIndented = false });

    /// <summary>What reads the bodies of requests, which people write: what must be there is asked for, and null is only where it means something.</summary>
    public static ApiJson Requests =>
        field ??= new(new JsonSerializerOptions(Default.Options) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true });
}

/// <summary>Enum members by name, as they are: outcomes have the same name in code, tables and guide, <c>ClientSentBadRequest</c>.</summary>
public sealed class PlainNames<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>Enum members by name, as the configuration writes them: <c>quiesced</c>, <c>http</c>.</summary>
public sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
