using System.Text;
using Bascule.Core.Config;
using Bascule.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Bascule;

/// <summary>The configuration file on disk.</summary>
internal static class ConfigurationFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads and checks it. A file that cannot be read is a problem like any other; nothing is thrown, and nothing waits.</summary>
    public static CheckedConfiguration Load(string path) => Load(path, out _);

    /// <summary>The same.</summary>
    /// <param name="text">What it says; null when it cannot be read or is no text.</param>
    public static CheckedConfiguration Load(string path, out string? text)
    {
        text = null;
        return NotAFile(FileKinds.Of(path)) ?? Read(path, out text);
    }

    /// <summary>The same for whoever wants to run it, or to know whether it runs well here: with warnings about this machine, and what keys lead to.</summary>
    public static CheckedConfiguration LoadToRun(string path) => LoadToRun(path, out _);

    /// <summary>The same.</summary>
    /// <param name="text">What it says; null when it cannot be read or is no text.</param>
    public static CheckedConfiguration LoadToRun(string path, out string? text) => ToRun(path, Load(path, out text));

    /// <summary>The same of a text that is not in the file yet.</summary>
    public static CheckedConfiguration CheckToRun(string path, string text) => ToRun(path, ConfigurationText.Check(Encoding.UTF8.GetBytes(text)));

    private static CheckedConfiguration ToRun(string path, CheckedConfiguration read) =>
        read.Meant is { } meant ? new(FlowHashKeys.Resolve(meant), []) { Warnings = [.. SecretWarnings.Of(path, meant), .. ProgramWarnings.Of(meant), .. read.Warnings] } : read;

    /// <summary>What it says, which nobody has checked.</summary>
    /// <param name="whyNot">Why it cannot be read, as what could be said of the file: "is not a file"; null on success.</param>
    public static string? ReadText(string path, out string? whyNot)
    {
        whyNot = FileKinds.Of(path) == FileKind.Regular ? null : "is not a file";
        if (whyNot is not null)
            return null;
        try
        {
            return File.ReadAllText(path, Strict);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            whyNot = $"cannot be read: {e.Message}";
            return null;
        }
    }

    // A pipe could wait for ever for somebody to write, and /dev/zero never ends.
    private static CheckedConfiguration? NotAFile(FileKind? kind) => kind switch
    {
        FileKind.Directory => Failed("this is a folder", "name the file in it, such as bascule.yaml"),
        FileKind.Pipe => Failed("this is a pipe, not a file", "write the configuration to a file and name that"),
        FileKind.Socket => Failed("this is a socket, not a file", "name the configuration file"),
        FileKind.Device => Failed("this is a device, not a file", "name the configuration file"),
        FileKind.Regular or null => null,
    };

    private static CheckedConfiguration Read(string path, out string? text)
    {
        text = null;
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            ReadOnlySpan<byte> content = Content(file);
            CheckedConfiguration read = ConfigurationText.Check(content);
            // A file that is good is UTF-8; a byte order mark is none of what it says.
            text = read.Meant is null ? null : Encoding.UTF8.GetString(content).TrimStart('\uFEFF');
            return read;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Failed("there is no such file", "check the path, or write the file: samples/ has examples");
        }
        catch (UnauthorizedAccessException)
        {
            return Failed("this user may not read the file", $"run as a user who may, or see `ls -l` and `chmod`; this is user {Environment.UserName}");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            return Failed($"the file cannot be read: {e.Message.TrimEnd('.')}", "check the path and the disk");
        }
    }

    /// <summary>The content; of a file that is too large only so much that the check sees it is.</summary>
    private static ReadOnlySpan<byte> Content(SafeFileHandle file)
    {
        // The length is where the buffer starts, not a promise: files in /proc have length 0, others grow while they are read.
        byte[] content = new byte[(int)long.Clamp(RandomAccess.GetLength(file) + 1, 4096, ConfigurationText.MaximumBytes + 1)];
        int filled = 0;
        while (RandomAccess.Read(file, content.AsSpan(filled), filled) is var read and > 0)
        {
            filled += read;
            if (filled == ConfigurationText.MaximumBytes + 1)
                break;
            if (filled == content.Length)
                Array.Resize(ref content, int.Min(2 * filled, ConfigurationText.MaximumBytes + 1));
        }

        return content.AsSpan(0, filled);
    }

    private static CheckedConfiguration Failed(string what, string hint) => new(null, [new(Location.Start, what, hint)]);
}
