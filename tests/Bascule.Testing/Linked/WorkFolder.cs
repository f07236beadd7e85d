namespace Bascule.Testing;

/// <summary>A folder that goes with the test.</summary>
internal sealed class WorkFolder : IDisposable
{
    /// <summary>Its whole path.</summary>
    public string Name { get; } = Directory.CreateTempSubdirectory("bascule-check-").FullName;

    /// <summary>Writes a file in it.</summary>
    /// <returns>The whole path.</returns>
    public string Write(string name, string text)
    {
        string path = Path.Combine(Name, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Name, recursive: true);
}
