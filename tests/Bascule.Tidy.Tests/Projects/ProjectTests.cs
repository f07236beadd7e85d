using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Bascule.Tidy.Tests.Projects;

/// <summary>No project is forgotten: by the solution, by ARCHITECTURE.md, by the lock files.</summary>
public sealed class ProjectTests
{
    [Fact]
    public void The_solution_lists_every_project_and_no_other() =>
        Findings.AreNone(Differences(Solution(Repository.Read("Bascule.slnx")), Project.All.Select(project => project.Path)));

    [Fact]
    public void Sees_a_project_the_solution_forgot_and_one_it_only_dreams_of()
    {
        string[] listed = Solution("""<Solution><Folder Name="/src/"><Project Path="src/A/A.csproj" /><Project Path="src/B/B.csproj" /></Folder></Solution>""");

        Assert.Equal(
            ["src/C/C.csproj is not in Bascule.slnx", "Bascule.slnx lists src/B/B.csproj, which is not there"],
            Differences(listed, ["src/A/A.csproj", "src/C/C.csproj"]));
    }

    [Fact]
    public void ARCHITECTURE_names_every_project()
    {
        string page = Repository.Read("ARCHITECTURE.md");

        Findings.AreNone(Project.All.Select(project => project.Name).Where(name => !Names(page, name)));
    }

    [Theory]
    [InlineData("knows `Bascule.Core` by name", "Bascule.Core", true)]
    [InlineData("knows `Bascule.Core.Tests` only", "Bascule.Core", false)]
    [InlineData("knows `Bascule.Core` only", "Bascule", false)]
    public void A_project_is_named_when_its_whole_name_is_there(string page, string name, bool expected) =>
        Assert.Equal(expected, Names(page, name));

    [Fact]
    public void ARCHITECTURE_stays_under_300_lines() =>
        Assert.InRange(Repository.Read("ARCHITECTURE.md").Count(character => character == '\n'), 1, 299);

    [Fact]
    public void Package_versions_are_stated_in_one_place() =>
        Findings.AreNone(Project.All.SelectMany(project => project.OwnVersions, (project, package) => $"{project.Name} states the version of {package}"));

    [Theory]
    [InlineData("""<PackageReference Include="YamlDotNet" Version="16.3.0" />""")]
    [InlineData("""<PackageReference Include="YamlDotNet" VersionOverride="16.3.0" />""")]
    public void Sees_a_version_in_a_project(string reference) =>
        Assert.Equal(["YamlDotNet"], Project.Parse("A.csproj", $"<Project><ItemGroup>{reference}</ItemGroup></Project>").OwnVersions);

    [Fact]
    public void Every_package_version_is_of_a_package_that_is_used()
    {
        string props = Repository.Read("Directory.Packages.props");
        string everywhere = Repository.Read("Directory.Build.props");
        string[] used = [.. Project.All.SelectMany(project => project.Packages), .. Project.Parse("", everywhere).Packages];

        Findings.AreNone(CentralPackages(props, "PackageVersion").Except(used).Select(package => $"{package} is not used"));
    }

    [Fact]
    public void Every_package_has_its_reason_in_ARCHITECTURE()
    {
        string page = Repository.Read("ARCHITECTURE.md");

        Findings.AreNone(CentralPackages(Repository.Read("Directory.Packages.props"), "PackageVersion", "GlobalPackageReference").Where(package => !Names(page, package)));
    }

    [Fact]
    public void Reads_packages_that_ship_and_packages_that_only_build() =>
        Assert.Equal(["A", "B"], CentralPackages("""<Project><ItemGroup><PackageVersion Include="A" Version="1" /><GlobalPackageReference Include="B" Version="1" /></ItemGroup></Project>""", "PackageVersion", "GlobalPackageReference"));

    [Fact]
    public void Every_project_has_a_lock_file() =>
        Findings.AreNone(Project.All.Select(project => project.Path).Where(path => !File.Exists(LockFile(Path.Combine(Repository.Root, path)))));

    private static string LockFile(string project) => Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json");

    private static string[] Solution(string slnx) =>
        [.. XDocument.Parse(slnx).Descendants("Project").Select(project => project.Attribute("Path")!.Value)];

    private static IEnumerable<string> CentralPackages(string props, params string[] items) =>
        XDocument.Parse(props).Descendants()
            .Where(element => items.Contains(element.Name.LocalName))
            .Select(element => element.Attribute("Include")!.Value);

    private static IEnumerable<string> Differences(IEnumerable<string> listed, IEnumerable<string> onDisk) =>
    [
        .. onDisk.Except(listed).Select(path => $"{path} is not in Bascule.slnx"),
        .. listed.Except(onDisk).Select(path => $"Bascule.slnx lists {path}, which is not there"),
    ];

    // The whole name: neither a part of a longer one nor a folder on the way to a file.
    private static bool Names(string page, string name) =>
        Regex.IsMatch(page, $@"(?<![\w.]){Regex.Escape(name)}(?![\w/]|\.\w)");
}
