using System.Globalization;
using System.Net;
using System.Text;
using Bascule.Core.Model;
using Bascule.Linux.Files;

namespace Bascule.Health;

/// <summary>What does a file of this machine say about it?</summary>
internal sealed class FileProbe(FileCheck check, IPEndPoint target) : Probe
{
    private const int Most = 64; // bytes; a number is shorter
    private const int MostWeight = 65_535;

    private readonly string _path = Placeholders.Fill(check.Path, target);

    /// <inheritdoc/>
    public override Task<Verdict> AskAsync(uint mark, CancellationToken cancellation) => Task.FromResult(Ask());

    private Verdict Ask()
    {
        try
        {
            if (!File.Exists(_path))
                return Verdict.Failed($"{_path} is not there");
            // A pipe would be waited for, and a device may be endless.
            return FileKinds.Of(_path) is not (FileKind.Regular or null) ? Verdict.NotAsked($"{_path} is not a file") : Judge(Beginning());
        }
        catch (FileNotFoundException)
        {
            return Verdict.Failed($"{_path} is not there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Verdict.NotAsked($"{_path} cannot be read: {e.Message}");
        }
    }

    private string Beginning()
    {
        using FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Span<byte> bytes = stackalloc byte[Most];
        return Encoding.UTF8.GetString(bytes[..file.ReadAtLeast(bytes, Most, throwOnEndOfStream: false)]).Trim();
    }

    private static Verdict Judge(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int weight) && weight <= MostWeight
            ? Verdict.Pass($"weight {weight}") with { Weight = new(weight, IsPercent: false) }
            : Verdict.Pass("the file is there");
}
