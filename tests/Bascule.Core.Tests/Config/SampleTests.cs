using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

public sealed class SampleTests
{
    private static string Folder => Path.Combine(TestFolder.Repository, "samples");

    public static TheoryData<string> Samples => [.. Directory.GetFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Is_a_good_configuration(string name)
    {
        CheckedConfiguration read = ConfigurationText.Check(File.ReadAllBytes(Path.Combine(Folder, name)));

        Assert.Empty(read.Problems.Select(p => p.Format(name)));
        Assert.NotEmpty(read.Meant!.VirtualServers);
    }

    [Fact]
    public void The_sample_of_everything_has_every_setting()
    {
        string everything = File.ReadAllText(Path.Combine(Folder, "everything.yaml"));

        IEnumerable<string> missing = RootSection.Section.AndAllInside().SelectMany(s => s.Settings).Select(s => s.Name).Where(n => !everything.Contains(n + ":", StringComparison.Ordinal));

        Assert.Empty(missing);
    }
}
