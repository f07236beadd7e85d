using System.Xml.Linq;

namespace Bascule.Tidy.Tests.Projects;

/// <summary>A project file, as far as these tests ask about it.</summary>
/// <param name="Path">From the root of the repository: <c>src/Bascule.Core/Bascule.Core.csproj</c>.</param>
/// <param name="References">Names of the projects it refers to.</param>
/// <param name="VisibleTo">Names of the assemblies that see its internals.</param>
/// <param name="Packages">Names of the packages it uses.</param>
/// <param name="OwnVersions">Packages whose version it states itself instead of in Directory.Packages.props.</param>
/// <param name="AllowsUnsafe">The compiler lets it use pointers.</param>
internal sealed record Project(
    string Path, string[] References, string[] VisibleTo, string[] Packages, string[] OwnVersions, bool AllowsUnsafe)
{
    /// <summary>Every project on disk; whether the solution knows it is a test of its own.</summary>
    public static IReadOnlyList<Project> All { get; } =
        [.. Repository.Files("", "*.csproj").Select(path => Parse(path, Repository.Read(path)))];

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public static Project Parse(string path, string xml)
    {
        XDocument document = XDocument.Parse(xml);
        return new Project(
            path,
            [.. Includes("ProjectReference").Select(System.IO.Path.GetFileNameWithoutExtension).Order()!],
            [.. Includes("InternalsVisibleTo")],
            [.. Includes("PackageReference")],
            [.. document.Descendants().Where(StatesItsVersion).Select(element => $"{element.Attribute("Include")?.Value}")],
            document.Descendants("AllowUnsafeBlocks").Any(element => element.Value == "true"));

        IEnumerable<string> Includes(string item) =>
            document.Descendants(item).Select(element => element.Attribute("Include")!.Value);
    }

    private static bool StatesItsVersion(XElement element) =>
        element.Name.LocalName == "PackageReference"
        && (element.Attribute("Version") ?? element.Attribute("VersionOverride")) is not null;
}
