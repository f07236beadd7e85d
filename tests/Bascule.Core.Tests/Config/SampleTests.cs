using Bascule.Core.Config;
using Bascule.Core.Model;

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

    [Theory]
    [MemberData(nameof(SamplesOfPairs))]
    public void A_pair_to_copy_is_warned_of_nothing(string name) =>
        Assert.Empty(ConfigurationText.Check(File.ReadAllBytes(Path.Combine(Folder, name))).Warnings.Select(w => w.FormatWarning(name)));

    public static TheoryData<string> SamplesOfPairs => [.. Directory.GetFiles(Folder, "ha-*.yaml").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public void The_two_files_of_a_pair_differ_in_who_is_who_and_in_nothing_else()
    {
        HaInstance first = Pair("ha-pair.yaml", "director-1", "director-2");
        HaInstance second = Pair("ha-pair-peer.yaml", "director-2", "director-1");

        Assert.True(first.Priority > second.Priority);
        Assert.Equal(first with { Priority = second.Priority }, second);
    }

    private static HaInstance Pair(string file, string node, string peer)
    {
        Configuration meant = ConfigurationText.Check(File.ReadAllBytes(Path.Combine(Folder, file))).Meant!;
        Assert.Equal(node, meant.Node);
        Assert.Equal(peer, Assert.Single(meant.Ha!.Peers).Name);
        return Assert.Single(meant.Ha.Instances);
    }

    [Fact]
    public void The_sample_of_everything_has_every_setting()
    {
        string everything = File.ReadAllText(Path.Combine(Folder, "everything.yaml"));

        IEnumerable<string> missing = RootSection.Section.AndAllInside().SelectMany(s => s.Settings).Select(s => s.Name).Where(n => !everything.Contains(n + ":", StringComparison.Ordinal));

        Assert.Empty(missing);
    }
}
