using Bascule.Core.Config.Sharing;

namespace Bascule.Core.Tests.Config.Sharing;

public sealed class SharedPartTests
{
    private const string First = """
        # The web, on two directors.
        # Ask Ann before you change anything.

        node: director-1          # this machine
        workers: 2

        # Longer than the slowest download.
        shutdownTimeout: 40s
        ha:
          # not yours
          instances: { a: { interface: eth0 } }

        virtualServers:
          # the shop
          web: { address: 192.0.2.10:80, realServers: [10.0.0.1:80] }   # one is enough

          api: { address: 192.0.2.10:81, realServers: [10.0.0.1:81] }

        # That is all.

        """;

    private const string Second = """
        # Another head.

        virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.9:80] } }

        # mine
        admin: { socket: /run/other.sock }
        node: director-2
        """;

    [Fact]
    public void The_shared_part_is_the_shared_settings_with_the_comments_above_and_in_them() => Assert.Equal("""
        # Longer than the slowest download.
        shutdownTimeout: 40s

        virtualServers:
          # the shop
          web: { address: 192.0.2.10:80, realServers: [10.0.0.1:80] }   # one is enough

          api: { address: 192.0.2.10:81, realServers: [10.0.0.1:81] }

        # That is all.

        """, Split(First).Text);

    [Fact]
    public void A_file_with_its_own_shared_part_is_the_same_file() =>
        Assert.Equal(First, Split(First).With(Split(First).Text, out _));

    [Fact]
    public void The_other_s_shared_part_takes_the_place_of_ours_and_our_own_stays_as_it_is() => Assert.Equal("""
        # Another head.

        # Longer than the slowest download.
        shutdownTimeout: 40s

        virtualServers:
          # the shop
          web: { address: 192.0.2.10:80, realServers: [10.0.0.1:80] }   # one is enough

          api: { address: 192.0.2.10:81, realServers: [10.0.0.1:81] }

        # That is all.

        # mine
        admin: { socket: /run/other.sock }
        node: director-2

        """, Split(Second).With(Split(First).Text, out _));

    [Fact]
    public void A_setting_that_the_other_does_not_have_goes() => Assert.Equal("""
        # The web, on two directors.
        # Ask Ann before you change anything.

        node: director-1          # this machine
        workers: 2

        virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.9:80] } }
        ha:
          # not yours
          instances: { a: { interface: eth0 } }


        """, Split(First).With(Split(Second).Text, out _));

    [Fact]
    public void A_director_that_has_nothing_shared_yet_gets_it_at_the_end() =>
        Assert.Equal("node: b\n\nvirtualServers: {}\n", Split("node: b").With("virtualServers: {}\n", out _));

    [Theory]
    [InlineData("{ node: a, virtualServers: {} }", "line 1: `node` does not begin a line of its own")]
    [InlineData("  node: a\n  virtualServers: {}\n", "line 1: `node` does not begin a line of its own")]
    [InlineData("\"node\": a\nvirtualServers: {}\n", "line 1: `node` does not begin a line of its own")]
    [InlineData("node: a\nvirtualServers: {}\n...\n", "line 3: a mark of a document's end")]
    [InlineData("node: [\n", "the file is not to be read: line")]
    [InlineData("- a\n", "the file is not a map of settings")]
    public void A_file_that_cannot_be_taken_apart_says_where(string text, string why)
    {
        Assert.Null(SharedPart.TrySplit(text, out string? whyNot));

        Assert.StartsWith(why, whyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_can_slip_us_a_setting_that_is_our_own()
    {
        Assert.Null(Split(First).With("virtualServers: {}\n\nadmin: { socket: /tmp/x }\n", out string? whyNot));

        Assert.Equal("`admin` is each director's own and cannot be shared", whyNot);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_two_files_look_like_each_keeps_its_own_and_both_have_the_same_shared_part(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 2_000; round++)
        {
            (string a, string b) = (RandomFile(random), RandomFile(random));
            SharedPart ofA = Split(a);
            SharedPart ofB = Split(b);

            string? composed = ofB.With(ofA.Text, out string? whyNot);

            Assert.True(composed is not null, $"{whyNot}\n--- a:\n{a}\n--- b:\n{b}");
            Assert.Equal(ofA.Text, Split(composed).Text);
            Assert.Equal(OwnLines(b), OwnLines(composed));
            Assert.Equal(b.EndsWith('\n') ? b : b + "\n", ofB.With(ofB.Text, out _));
            Assert.Equal(composed, Split(composed).With(ofA.Text, out _));
        }
    }

    private static SharedPart Split(string text)
    {
        SharedPart? part = SharedPart.TrySplit(text, out string? whyNot);
        Assert.True(part is not null, $"{whyNot}\n{text}");
        return part;
    }

    /// <summary>Every line of a random file says whose it is.</summary>
    private static string OwnLines(string file) => string.Concat(file.Split('\n').Where(line => line.Contains("local", StringComparison.Ordinal)).Select(line => line + "\n"));

    private static string RandomFile(Random random)
    {
        string[] names = ["node", "ha", "admin", "packets", "workers", "notify", "virtualServers", "limits", "shutdownTimeout", "timeouts", "defaults"];
        string[] chosen = [.. random.GetItems(names, random.Next(1, 9)).Distinct()];
        string file = random.Next(3) == 0 ? "# local head\n\n" : "";
        foreach (string name in chosen)
        {
            string whose = SharedPart.LocalSettings.Contains(name) ? "local" : "shared";
            if (random.Next(2) == 0)
                file += $"# {whose} {random.Next(100)}\n";
            file += random.Next(3) switch
            {
                0 => $"{name}: {whose}{random.Next(100)} # {whose}\n",
                1 => $"{name}:\n  # {whose}\n  {whose}{random.Next(100)}: x\n\n  {whose}: {random.Next(100)}\n",
                _ => $"{name}: [ {whose}, {whose}\n  ]\n",
            };
            file += random.Next(4) == 0 ? $"\n# {whose} after\n\n" : new string('\n', random.Next(3));
        }

        return random.Next(5) == 0 ? file.TrimEnd('\n') : file;
    }
}
