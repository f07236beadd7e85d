using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Bascule.Core.Config.Sharing;

/// <summary>What one director asks of the other about the configuration.</summary>
public enum SharingWord
{
    /// <summary>Which version is in force there, and what it grew out of.</summary>
    Tell,

    /// <summary>Whether a version could be put in force there. Changes nothing.</summary>
    Propose,

    /// <summary>To put it in force there.</summary>
    Apply,
}

/// <summary>A question.</summary>
/// <param name="Version">Null for <see cref="SharingWord.Tell"/>.</param>
public sealed record SharingQuestion(SharingWord Word, ConfigurationVersion? Version);

/// <summary>What the other says.</summary>
public enum SharingReply
{
    /// <summary>The version in force, and its ancestors.</summary>
    Told,

    /// <summary>It could be put in force.</summary>
    Valid,

    /// <summary>It is in force.</summary>
    Applied,

    /// <summary>It cannot be: the problems say why.</summary>
    Refused,

    /// <summary>It does not go on from what is in force there.</summary>
    Diverged,

    /// <summary>Its configuration is being changed this very moment.</summary>
    Busy,
}

/// <summary>An answer.</summary>
/// <param name="Version">In force there; null when there is none yet.</param>
/// <param name="Ancestors">Ids of what it grew out of.</param>
/// <param name="Problems">Each a line for the operator.</param>
public sealed record SharingAnswer(SharingReply Reply, ConfigurationVersion? Version, ImmutableArray<string> Ancestors, ImmutableArray<string> Problems);

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SharingQuestion))]
[JsonSerializable(typeof(SharingAnswer))]
internal sealed partial class SharingJson : JsonSerializerContext;

/// <summary>Questions and answers as bytes. No bytes throw.</summary>
public static class SharingWire
{
    /// <summary>As bytes.</summary>
    public static byte[] Bytes(SharingQuestion question) => JsonSerializer.SerializeToUtf8Bytes(question, SharingJson.Default.SharingQuestion);

    /// <summary>As bytes.</summary>
    public static byte[] Bytes(SharingAnswer answer) => JsonSerializer.SerializeToUtf8Bytes(answer, SharingJson.Default.SharingAnswer);

    /// <summary>The question; null when these bytes are none.</summary>
    public static SharingQuestion? Question(ReadOnlySpan<byte> bytes) =>
        Read(bytes, SharingJson.Default.SharingQuestion) is { } question && (question.Word == SharingWord.Tell || IsWhole(question.Version)) ? question : null;

    /// <summary>The answer; null when these bytes are none.</summary>
    public static SharingAnswer? Answer(ReadOnlySpan<byte> bytes) =>
        Read(bytes, SharingJson.Default.SharingAnswer) is { Ancestors.IsDefault: false, Problems.IsDefault: false } answer && (answer.Version is null || IsWhole(answer.Version)) ? answer : null;

    private static bool IsWhole(ConfigurationVersion? version) =>
        version is { Parents: { IsDefault: false, Length: <= 2 }, By.Length: <= ConfigurationVersion.LongestNote, Why.Length: <= ConfigurationVersion.LongestNote }
        && version.Parents.All(id => id is { Length: 64 } && id.All(char.IsAsciiHexDigitLower)) && !version.By.Concat(version.Why).Any(char.IsControl);

    private static T? Read<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
