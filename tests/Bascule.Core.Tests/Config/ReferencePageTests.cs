using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

public sealed class ReferencePageTests
{
    [Fact]
    public void Is_the_one_in_the_guide()
    {
        string file = Path.Combine(TestFolder.Repository, "docs", "guide", "reference.md");

        Assert.True(ReferencePage.Write() == File.ReadAllText(file),
            "docs/guide/reference.md is not what the settings say; write it anew: ./bascule config reference > docs/guide/reference.md");
    }

    [Fact]
    public void Says_what_each_word_of_a_list_means() =>
        Assert.Contains("- Value: a list of any of these\n- `instance`: An instance of `ha` became", ReferencePage.Write(), StringComparison.Ordinal);

    [Fact]
    public void Describes_every_setting_with_the_source_of_its_default()
    {
        foreach (Setting setting in RootSection.Section.AndAllInside().SelectMany(s => s.Settings))
        {
            Assert.True(setting.Doc.EndsWith('.'), $"{setting.Name}: the description is not a sentence");
            Assert.True(setting.IsRequired || setting.Form is Section || setting.Source is not null, $"{setting.Name}: where does the default come from?");
        }
    }
}
