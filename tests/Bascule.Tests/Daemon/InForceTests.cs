using Bascule.Core.Config.Editing;
using Bascule.Daemon;

namespace Bascule.Tests.Daemon;

public sealed class InForceTests
{
    private readonly InForce _inForce = new("0");
    private int _texts;

    [Fact]
    public void Of_changes_of_the_same_settings_the_last_is_what_is_not_in_the_file()
    {
        Make(Weight("web/10.0.0.11:80", "1"));
        Make(Weight("web/10.0.0.12:80", "1"));
        Make(Weight("web/10.0.0.11:80", "2"));

        Assert.Equal(["edit web/10.0.0.12:80 weight=1", "edit web/10.0.0.11:80 weight=2"], _inForce.Unsaved.Select(u => u.Words));
    }

    [Fact]
    public void There_is_an_end_to_what_can_be_unsaved_and_saving_makes_room()
    {
        for (int i = 0; i < InForce.MostUnsaved; i++)
            Make(Weight($"web/10.0.0.11:{i + 1}", "1"));

        Assert.True(_inForce.HasRoomFor(Weight("web/10.0.0.11:1", "2")));
        Assert.False(_inForce.HasRoomFor(Weight("web/10.0.0.12:80", "1")));
        _inForce.TakeFile(_inForce.Text);
        Assert.True(_inForce.HasRoomFor(Weight("web/10.0.0.12:80", "1")));
    }

    private void Make(ConfigurationChange change) => _inForce.Change($"{++_texts}", change, new(change.Words, "anna", DateTimeOffset.UnixEpoch));

    private static ConfigurationChange Weight(string name, string value) => new() { Kind = ChangeKind.Edit, Name = name, Settings = [new("weight", value)] };
}
