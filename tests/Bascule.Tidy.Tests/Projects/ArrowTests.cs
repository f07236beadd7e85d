namespace Bascule.Tidy.Tests.Projects;

/// <summary>
/// Who may know whom. Engines never refer to each other: they meet in Core. A new arrow is a line here and a sentence in
/// ARCHITECTURE.md.
/// </summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        // The ground: knows nobody of ours.
        ["Bascule.Core"] = [],
        ["Bascule.Linux"] = [],

        // The engines.
        ["Bascule.Proxy"] = ["Bascule.Core", "Bascule.Linux"],
        ["Bascule.Packets"] = ["Bascule.Core", "Bascule.Linux"],
        ["Bascule.Health"] = ["Bascule.Core", "Bascule.Linux"],
        ["Bascule.Vrrp"] = ["Bascule.Core", "Bascule.Linux"],
        ["Bascule.Notify"] = ["Bascule.Core", "Bascule.Linux"],
        ["Bascule.Replication"] = ["Bascule.Core"],
        ["Bascule.Admin"] = ["Bascule.Core"],

        // The program: knows everybody.
        ["Bascule"] = ["Bascule.Core", "Bascule.Linux", "Bascule.Proxy", "Bascule.Packets", "Bascule.Health", "Bascule.Vrrp", "Bascule.Replication", "Bascule.Notify", "Bascule.Admin"],

        // The datapath in the kernel, asked packet by packet, beside what Core says; addresses and raw sockets in a namespace.
        ["Bascule.Kernel.Tests"] = ["Bascule.Core", "Bascule.Linux", "Bascule.Packets", "Bascule.Vrrp", "Bascule.Testing"],

        // Measures the datapath, filled as the daemon fills it, with packets as the tests write them.
        ["Bascule.Bench.Packets"] = ["Bascule.Core", "Bascule.Linux", "Bascule.Packets", "Bascule.Testing"],

        // Measures what a choice costs.
        ["Bascule.Bench.Schedulers"] = ["Bascule.Core"],

        // What tests share, and the test of the repository itself, which loads samples.
        ["Bascule.Testing"] = [],
        ["Bascule.Tidy.Tests"] = ["Bascule.Core"],

        // Whole directors in network namespaces, and the echo program they carry.
        ["Bascule.Lab.Echo"] = ["Bascule.Linux"],
        ["Bascule.Lab.Tests"] = ["Bascule", "Bascule.Lab.Echo", "Bascule.Testing"],
    };

    [Fact]
    public void Every_arrow_is_an_allowed_one() => Findings.AreNone(Project.All.SelectMany(Problems));

    [Theory]
    [InlineData("src/Bascule.Proxy/Bascule.Proxy.csproj", "Bascule.Health", "Bascule.Proxy may not know Bascule.Health")]
    [InlineData("src/Bascule.Core/Bascule.Core.csproj", "Bascule.Linux", "Bascule.Core may not know Bascule.Linux")]
    [InlineData("src/Bascule.Admin/Bascule.Admin.csproj", "Bascule.Linux", "Bascule.Admin may not know Bascule.Linux")]
    [InlineData("tests/Bascule.Proxy.Tests/Bascule.Proxy.Tests.csproj", "Bascule.Health", "Bascule.Proxy.Tests may not know Bascule.Health")]
    [InlineData("src/Bascule.Dns/Bascule.Dns.csproj", "Bascule.Core", "Bascule.Dns is not in ArrowTests: say whom it may know")]
    public void Sees_an_arrow_that_is_not_allowed(string path, string reference, string expected)
    {
        Project project = Project.Parse(path, $"""<Project><ItemGroup><ProjectReference Include="../{reference}/{reference}.csproj" /></ItemGroup></Project>""");

        Assert.Equal([expected], Problems(project));
    }

    [Fact]
    public void Only_a_project_s_own_tests_see_its_internals() => Findings.AreNone(Project.All.SelectMany(Peeking));

    [Fact]
    public void Sees_an_engine_that_shows_another_its_internals()
    {
        Project project = Project.Parse("src/Bascule.Core/Bascule.Core.csproj",
            """<Project><ItemGroup><InternalsVisibleTo Include="Bascule.Proxy" /></ItemGroup></Project>""");

        Assert.Equal(["Bascule.Core shows its internals to Bascule.Proxy"], Peeking(project));
    }

    private static IEnumerable<string> Problems(Project project)
    {
        if (AllowedFor(project.Name) is not { } allowed)
            return [$"{project.Name} is not in ArrowTests: say whom it may know"];
        return project.References.Except(allowed).Select(reference => $"{project.Name} may not know {reference}");
    }

    // What needs root is tested apart, in a suite of its own.
    private static IEnumerable<string> Peeking(Project project) =>
        project.VisibleTo.Where(other => other != $"{project.Name}.Tests" && (project.Name, other) is not (("Bascule", "Bascule.Lab.Tests") or ("Bascule.Vrrp" or "Bascule.Packets", "Bascule.Kernel.Tests")))
            .Select(other => $"{project.Name} shows its internals to {other}");

    // A test project knows the project it tests, and what tests share.
    private static string[]? AllowedFor(string name)
    {
        if (Allowed.TryGetValue(name, out string[]? allowed))
            return allowed;
        if (!name.EndsWith(".Tests", StringComparison.Ordinal))
            return null;
        return [name[..^".Tests".Length], "Bascule.Testing"];
    }
}
