using Bascule.Core.Config.Sharing;

namespace Bascule.Core.Tests.Config.Sharing;

public sealed class ConfigurationHistoryTests
{
    private static readonly ConfigurationHistory Empty = new([]);

    [Fact]
    public void Two_who_begin_with_the_same_text_are_in_step_without_a_word() =>
        Assert.Equal(Standing.InStep, Stands(Change(Empty, "one"), Change(Empty, "one")));

    [Fact]
    public void Two_who_begin_with_different_texts_are_in_conflict() =>
        Assert.Equal(Standing.Conflict, Stands(Change(Empty, "one"), Change(Empty, "two")));

    [Fact]
    public void Who_was_away_while_the_other_changed_is_behind_however_often_that_was()
    {
        ConfigurationHistory b = Change(Empty, "one");
        ConfigurationHistory a = Change(Change(b, "two"), "three");

        Assert.Equal(Standing.Behind, Stands(b, a));
        Assert.Equal(Standing.Ahead, Stands(a, b));
    }

    [Fact]
    public void Who_went_back_to_the_old_text_is_ahead_all_the_same()
    {
        ConfigurationHistory b = Change(Change(Empty, "one"), "two");
        ConfigurationHistory a = Change(b, "one");

        Assert.Equal(Standing.Behind, Stands(b, a));
        Assert.Equal(Standing.Ahead, Stands(a, b));
    }

    [Fact]
    public void Two_who_both_changed_are_in_conflict_on_both_sides()
    {
        ConfigurationHistory both = Change(Empty, "one");

        Assert.Equal(Standing.Conflict, Stands(Change(both, "two"), Change(both, "three")));
        Assert.Equal(Standing.Conflict, Stands(Change(both, "three"), Change(both, "two")));
    }

    [Fact]
    public void Two_who_changed_to_the_same_text_by_different_ways_agree_on_one_of_them()
    {
        ConfigurationHistory both = Change(Empty, "one");
        ConfigurationHistory a = Change(both, "three");
        ConfigurationHistory b = Change(Change(both, "two"), "three");

        Assert.Equal([Standing.Behind, Standing.Ahead], new[] { Stands(a, b), Stands(b, a) }.Order());
    }

    [Fact]
    public void A_conflict_that_was_resolved_has_both_in_its_past()
    {
        ConfigurationHistory both = Change(Empty, "one");
        (ConfigurationHistory a, ConfigurationHistory b) = (Change(both, "two"), Change(both, "three"));

        ConfigurationHistory resolved = a.With(new([a.Current!.Id, b.Current!.Id], "two", default, "a", "take mine"));

        Assert.Equal(Standing.Behind, Stands(b, resolved));
        Assert.Equal(Standing.Behind, Stands(a, resolved));
        Assert.True(b.Continues(resolved.Current!));
        Assert.False(b.Continues(a.Current!));
    }

    [Fact]
    public void A_hundred_are_kept_and_numbers_go_on()
    {
        ConfigurationHistory history = Empty;
        for (int i = 0; i < 150; i++)
            history = Change(history, $"{i}");

        Assert.Equal((100, 51, 151), (history.Versions.Length, history.Versions[0].Number, history.Next));
        Assert.Equal(100, history.Ancestors().Count); // the oldest names one that is not kept
    }

    private static Standing Stands(ConfigurationHistory ours, ConfigurationHistory theirs) => ours.Compare(theirs.Current!, theirs.Ancestors());

    private static ConfigurationHistory Change(ConfigurationHistory history, string text) =>
        history.With(new(history.Current is { } current ? [current.Id] : [], text, default, "a", "reload"));
}
