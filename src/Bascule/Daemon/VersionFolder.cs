using System.Globalization;
using System.Text;
using Bascule.Core.Config.Sharing;

namespace Bascule.Daemon;

/// <summary>
/// The history of the shared part on disk: <c>000012.yaml</c> in <c>config</c> under the state folder, the last hundred. Each begins with lines that say what it is;
/// below a line of dashes stands the text.
/// </summary>
internal sealed class VersionFolder(string stateFolder)
{
    private const string Border = "---\n";

    private readonly string _folder = Path.Combine(stateFolder, "config");

    /// <summary>Reads what is there. A file that is not as it should be is passed over, and named.</summary>
    /// <param name="odd">Takes its path.</param>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not.</exception>
    public ConfigurationHistory Read(Action<string> odd)
    {
        AtomicFile.CreateFolder(_folder);
        List<(int, ConfigurationVersion)> versions = [];
        foreach (string path in Directory.GetFiles(_folder, "*.yaml"))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && Parse(File.ReadAllText(path)) is { } version)
                versions.Add((number, version));
            else
                odd(path);
        }

        return new(versions);
    }

    /// <summary>Adds the latest version of a history, and takes away what it does not keep.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not.</exception>
    public void Add(ConfigurationHistory history)
    {
        (int number, ConfigurationVersion version) = history.Versions[^1];
        AtomicFile.Write(PathOf(number), Format(version));
        foreach (string path in Directory.GetFiles(_folder, "*.yaml"))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out int old) && old < history.Versions[0].Number)
                File.Delete(path);
        }
    }

    private string PathOf(int number) => Path.Combine(_folder, $"{number:D6}.yaml");

    private static string Format(ConfigurationVersion version) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"# version: {version.Id}\n")
        .Append(CultureInfo.InvariantCulture, $"# parents: {string.Join(' ', version.Parents)}\n")
        .Append(CultureInfo.InvariantCulture, $"# at: {version.At.UtcDateTime:O}\n")
        .Append(CultureInfo.InvariantCulture, $"# by: {version.By}\n")
        .Append(CultureInfo.InvariantCulture, $"# why: {version.Why}\n")
        .Append(Border).Append(version.Text).ToString();

    /// <summary>The version; null when the file is another, or was changed since: its id would not be its own.</summary>
    private static ConfigurationVersion? Parse(string file)
    {
        int border = file.IndexOf($"\n{Border}", StringComparison.Ordinal);
        if (border < 0)
            return null;
        Dictionary<string, string> said = file[..border].Split('\n').Select(line => line.Split(": ", 2)).Where(p => p.Length == 2)
            .DistinctBy(p => p[0]).ToDictionary(p => p[0], p => p[1]);
        if (!DateTimeOffset.TryParse(said.GetValueOrDefault("# at"), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset at))
            return null;
        ConfigurationVersion version = new(
            [.. said.GetValueOrDefault("# parents", "").Split(' ', StringSplitOptions.RemoveEmptyEntries)],
            file[(border + 1 + Border.Length)..], at, said.GetValueOrDefault("# by", ""), said.GetValueOrDefault("# why", ""));
        return version.Id == said.GetValueOrDefault("# version") ? version : null;
    }
}
