using Bascule.Core.Config.Sharing;
using Bascule.Daemon;
using Bascule.Linux.Files;

namespace Bascule.Tests.Daemon;

public sealed class VersionFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-versions-").FullName;
    private readonly List<string> _odd = [];

    [Fact]
    public void What_was_added_is_read_again_word_for_word()
    {
        ConfigurationVersion version = new([new('a', 64), new('b', 64)], "# --- mine\nvirtualServers: {}\n\n---\n", DateTimeOffset.UnixEpoch.AddTicks(1234567), "director-1", "take mine");
        Folder.Add(new ConfigurationHistory([]).With(version));

        (int number, ConfigurationVersion read) = Assert.Single(Folder.Read(_odd.Add).Versions);

        Assert.Equal((1, version.Id, version.Text, version.At, version.By, version.Why), (number, read.Id, read.Text, read.At, read.By, read.Why));
        Assert.Equal(version.Parents.ToArray(), read.Parents.ToArray());
        Assert.Empty(_odd);
    }

    [Fact]
    public void A_version_that_somebody_has_changed_is_passed_over_and_named()
    {
        Folder.Add(Filled(1));
        Folder.Add(Filled(2));
        string path = Path.Combine(_folder, "config", "000002.yaml");
        File.AppendAllText(path, "more: 1\n");

        Assert.Single(new VersionFolder(_folder).Read(_odd.Add).Versions);
        Assert.Equal([path], _odd);
    }

    [Fact]
    public void Only_the_last_hundred_are_kept_on_disk()
    {
        for (int count = 1; count <= 103; count++)
            Folder.Add(Filled(count));

        Assert.Equal(100, Directory.GetFiles(Path.Combine(_folder, "config")).Length);
        Assert.Equal((4, 104), (Folder.Read(_odd.Add).Versions[0].Number, Folder.Read(_odd.Add).Next));
    }

    [Fact]
    public void Nobody_else_may_read_them()
    {
        Folder.Add(Filled(1));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "config", "000001.yaml")));
    }

    [Fact]
    public void A_file_that_is_replaced_keeps_its_mode_and_a_link_to_it_stays_a_link()
    {
        string file = Path.Combine(_folder, "real.yaml");
        string link = Path.Combine(_folder, "link.yaml");
        File.WriteAllText(file, "old");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.CreateSymbolicLink(link, file);

        AtomicFile.Write(link, "new");

        Assert.Equal("new", File.ReadAllText(file));
        Assert.Equal(file, File.ResolveLinkTarget(link, returnFinalTarget: false)!.FullName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(file));
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [PrivilegedFact("only root can give files away")]
    public void A_file_that_is_replaced_stays_whose_it_was()
    {
        string file = Path.Combine(_folder, "theirs.yaml");
        File.WriteAllText(file, "old");
        FileOwner theirs = new(4242, 4343);
        Assert.True(theirs.TryTake(file));

        AtomicFile.Write(file, "new");

        Assert.Equal(("new", theirs), (File.ReadAllText(file), FileOwner.Of(file)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private VersionFolder Folder
    {
        get
        {
            VersionFolder folder = new(_folder);
            folder.Read(_odd.Add); // makes it
            return folder;
        }
    }

    private static ConfigurationHistory Filled(int count)
    {
        ConfigurationHistory history = new([]);
        for (int i = 0; i < count; i++)
            history = history.With(new(history.Current is { } last ? [last.Id] : [], $"limits: {{}} # {i}\n", DateTimeOffset.UnixEpoch, "a", "reload"));
        return history;
    }
}
