using System.Text;

namespace Bascule.Core.Config;

/// <summary>Bytes into text; refuses what is not text, and says where.</summary>
internal static class SourceText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text; null when it is none and the problem has been added.</summary>
    public static string? Decode(ReadOnlySpan<byte> utf8, ProblemList problems)
    {
        if (Complain(utf8) is { } whole)
        {
            problems.Add(Location.Start, whole);
            return null;
        }

        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        return TryDecode(utf8, problems, out string text) && !HasControl(text, problems) ? text : null;
    }

    /// <summary>Complaints about the file as a whole.</summary>
    private static Complaint? Complain(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > ConfigurationText.MaximumBytes)
            return TooLarge;
        if (utf8.StartsWith(Encoding.Unicode.Preamble) || utf8.StartsWith(Encoding.BigEndianUnicode.Preamble))
            return new("the file is UTF-16", "save it as UTF-8");
        return utf8.Contains((byte)0) ? new("the file holds zero bytes, so it is not a text file", "check that this is the right file") : null;
    }

    /// <summary>What is said of a file that is not read because of its size.</summary>
    public static Complaint TooLarge { get; } =
        new($"the file is larger than {ConfigurationText.MaximumBytes / (1024 * 1024)} MiB", "check that this is the right file; a configuration is rarely larger than a few KiB");

    private static bool TryDecode(ReadOnlySpan<byte> utf8, ProblemList problems, out string text)
    {
        text = "";
        int valid = System.Text.Unicode.Utf8.IsValid(utf8) ? utf8.Length : ValidLength(utf8);
        if (valid < utf8.Length)
        {
            Location at = AtEnd(Strict.GetString(utf8[..valid]));
            problems.Add(at, $"the byte 0x{utf8[valid]:X2} here is not UTF-8", "save the file as UTF-8, or check that this is the right file");
            return false;
        }

        text = Strict.GetString(utf8);
        return true;
    }

    private static int ValidLength(ReadOnlySpan<byte> utf8)
    {
        int valid = 0;
        while (Rune.DecodeFromUtf8(utf8[valid..], out _, out int length) == System.Buffers.OperationStatus.Done)
            valid += length;
        return valid;
    }

    /// <summary>Control characters, and the line separators that YAML 1.1 breaks lines at and no editor shows.</summary>
    private static bool HasControl(string text, ProblemList problems)
    {
        int control = text.AsSpan().IndexOfAny(Controls);
        if (control < 0)
            return false;
        problems.Add(AtEnd(text[..control]), $"the invisible character U+{(int)text[control]:X4} stands here", "remove it, or check that this is the right file");
        return true;
    }

    private static readonly System.Buffers.SearchValues<char> Controls = System.Buffers.SearchValues.Create(
        [.. Enumerable.Range(0, 0x10000).Select(c => (char)c).Where(c => (char.IsControl(c) && c is not ('\t' or '\n' or '\r')) || c is '\u2028' or '\u2029' or '\uFEFF')]);

    private static Location AtEnd(string before)
    {
        int line = before.Count(c => c == '\n') + 1;
        return new(line, before.Length - before.LastIndexOf('\n'));
    }
}
