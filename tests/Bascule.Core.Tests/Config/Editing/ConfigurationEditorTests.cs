using System.Text;
using Bascule.Core.Config;
using Bascule.Core.Config.Editing;

namespace Bascule.Core.Tests.Config.Editing;

public sealed class ConfigurationEditorTests
{
    private const string Block = """
        # ours
        workers: 2 # both cores

        virtualServers:
          # what clients see
          web:
            address: 192.0.2.10:80 # announced
            check: tcp
            realServers: # three racks
              - 10.0.0.11:8080 # rack 1
              # the big one
              - { address: 10.0.0.12:8080, weight: 3 } # rack 2
              - address: 10.0.0.13:8080 # rack 3
                weight: 2

          shop:
            address: "[2001:db8::1]:80"
            realServers: [10.0.0.21, 10.0.0.22] # small
        # the end

        """;

    [Theory]
    [InlineData("edit web/10.0.0.12 weight=5", "-      - { address: 10.0.0.12:8080, weight: 3 } # rack 2", "+      - { address: 10.0.0.12:8080, weight: 5 } # rack 2")]
    [InlineData("edit web/10.0.0.11 weight=5", "-      - 10.0.0.11:8080 # rack 1", "+      - { address: 10.0.0.11:8080, weight: 5 } # rack 1")]
    [InlineData("edit web/10.0.0.13:8080 weight=5", "-        weight: 2", "+        weight: 5")]
    [InlineData("edit web/10.0.0.13 maxConnections=5", "+        maxConnections: 5")]
    [InlineData("edit web/10.0.0.13 weight=", "-        weight: 2")]
    [InlineData("edit web/10.0.0.12 weight=", "-      - { address: 10.0.0.12:8080, weight: 3 } # rack 2", "+      - { address: 10.0.0.12:8080 } # rack 2")]
    [InlineData("edit web scheduler=rr", "+    scheduler: rr")]
    [InlineData("edit web check.interval=5s", "-    check: tcp", "+    check: { type: tcp, interval: 5s }")]
    [InlineData("edit web timeouts.connect=1s timeouts.idle=1m", "+    timeouts: { connect: 1s, idle: 1m }")]
    [InlineData("edit shop address=[::]:81", "-    address: \"[2001:db8::1]:80\"", "+    address: \"[::]:81\"")]
    [InlineData("edit shop/10.0.0.22 weight=2", "-    realServers: [10.0.0.21, 10.0.0.22] # small", "+    realServers: [10.0.0.21, { address: 10.0.0.22, weight: 2 }] # small")]
    [InlineData("add web/10.0.0.14:8080", "+      - 10.0.0.14:8080")]
    [InlineData("add web/10.0.0.14:8080 weight=2 maxConnections=9", "+      - { address: 10.0.0.14:8080, weight: 2, maxConnections: 9 }")]
    [InlineData("add shop/[2001:db8::9]:80", "-    realServers: [10.0.0.21, 10.0.0.22] # small", "+    realServers: [10.0.0.21, 10.0.0.22, \"[2001:db8::9]:80\"] # small")]
    [InlineData("delete web/10.0.0.11", "-      - 10.0.0.11:8080 # rack 1")]
    [InlineData("delete web/10.0.0.13", "-      - address: 10.0.0.13:8080 # rack 3", "-        weight: 2")]
    [InlineData("delete shop/10.0.0.21", "-    realServers: [10.0.0.21, 10.0.0.22] # small", "+    realServers: [10.0.0.22] # small")]
    [InlineData("delete shop/10.0.0.22", "-    realServers: [10.0.0.21, 10.0.0.22] # small", "+    realServers: [10.0.0.21] # small")]
    [InlineData("delete shop", "-  shop:", "-    address: \"[2001:db8::1]:80\"", "-    realServers: [10.0.0.21, 10.0.0.22] # small")]
    [InlineData("edit web realServers=[10.0.0.1,10.0.0.2]", "-    realServers: # three racks", "-      - 10.0.0.11:8080 # rack 1", "-      # the big one",
        "-      - { address: 10.0.0.12:8080, weight: 3 } # rack 2", "-      - address: 10.0.0.13:8080 # rack 3", "-        weight: 2", "+    realServers: [10.0.0.1,10.0.0.2] # three racks")]
    public void Changes_these_lines_and_no_others(string command, params string[] lines) => Assert.Equal(lines.Order(), Difference(Block, command).Order());

    [Fact]
    public void A_new_virtual_server_is_laid_out_as_the_others_are()
    {
        string text = Edited(Block, "add mail address=192.0.2.10:25 realServers=[10.0.0.31] check.type=tcp check.interval=9s");

        Assert.EndsWith("""
                realServers: [10.0.0.21, 10.0.0.22] # small

              mail:
                address: 192.0.2.10:25
                realServers: [10.0.0.31]
                check: { type: tcp, interval: 9s }
            # the end

            """, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ virtualServers: { web: { address: 192.0.2.1:80, realServers: [ 10.0.0.1 ] } } }", "add web/10.0.0.2 weight=3",
        "{ virtualServers: { web: { address: 192.0.2.1:80, realServers: [ 10.0.0.1, { address: 10.0.0.2, weight: 3 } ] } } }")]
    [InlineData("{ virtualServers: { web: { address: 192.0.2.1:80, realServers: [ 10.0.0.1 ] } } }", "add a address=192.0.2.1:81 realServers=[10.0.0.9]",
        "{ virtualServers: { web: { address: 192.0.2.1:80, realServers: [ 10.0.0.1 ] }, a: { address: 192.0.2.1:81, realServers: [10.0.0.9] } } }")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers:\n    - 10.0.0.1", "add web/10.0.0.2",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers:\n    - 10.0.0.1\n    - 10.0.0.2\n")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [\n      10.0.0.1, # one\n      10.0.0.2 # two\n    ]\n", "add web/10.0.0.3",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [\n      10.0.0.1, # one\n      10.0.0.2, # two\n      10.0.0.3\n    ]\n")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [\n      10.0.0.1, # one\n      10.0.0.2 # two\n    ]\n", "delete web/10.0.0.2",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [\n      10.0.0.1, # one\n    ]\n")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers:\n      - weight: 2 # why\n        address: 10.0.0.1\n      - 10.0.0.2\n", "edit web/10.0.0.1 weight=",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers:\n      -\n        address: 10.0.0.1\n      - 10.0.0.2\n")]
    [InlineData("virtualServers:\r\n  web:\r\n    address: 192.0.2.1:80\r\n    realServers: [10.0.0.1]\r\n", "edit web scheduler=rr",
        "virtualServers:\r\n  web:\r\n    address: 192.0.2.1:80\r\n    realServers: [10.0.0.1]\r\n    scheduler: rr\r\n")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    timeouts: # none yet\n    realServers: [10.0.0.1]\n", "edit web timeouts.connect=9s",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    timeouts: { connect: 9s } # none yet\n    realServers: [10.0.0.1]\n")]
    [InlineData("virtualServers:\n  web:\n    address: 192.0.2.1:80\n    timeouts:\n      connect: 1s\n    realServers: [10.0.0.1]\n", "edit web timeouts.connect=",
        "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [10.0.0.1]\n")]
    public void Every_layout_keeps_its_manner(string before, string command, string after) => Assert.Equal(after, Edited(before, command));

    [Theory]
    [InlineData("add web address=1.2.3.4:5", "there is a virtual server web already")]
    [InlineData("edit nobody scheduler=rr", "there is no virtual server nobody")]
    [InlineData("delete nobody", "there is no virtual server nobody")]
    [InlineData("add nobody/10.0.0.1", "there is no virtual server nobody")]
    [InlineData("edit web/10.9.9.9 weight=1", "web has no real server 10.9.9.9")]
    [InlineData("add mail", "a new virtual server needs settings")]
    [InlineData("edit web .a=1", "`.a` is not the name of a setting")]
    [InlineData("edit web realServers.x=1", "the file is written in a way in which this cannot be changed without touching more of it")]
    public void What_cannot_be_is_refused_in_a_sentence(string command, string what)
    {
        EditedText edited = Apply(Block, command);

        Assert.Null(edited.Text);
        Assert.Equal(what, edited.Refusal!.Error);
    }

    [Fact]
    public void The_last_of_its_kind_is_not_taken_away()
    {
        const string one = "virtualServers:\n  web:\n    address: 192.0.2.1:80\n    realServers: [10.0.0.1]\n";

        Assert.Equal("10.0.0.1:80 is the only real server of web", Apply(one, "delete web/10.0.0.1").Refusal!.Error);
        Assert.Equal("web is the only one there is, and without any there is nothing to do", Apply(one, "delete web").Refusal!.Error);
    }

    [Theory]
    [InlineData("2 # more", "\"2 # more\"")]
    [InlineData("rr, weight: 9", "\"rr, weight: 9\"")]
    [InlineData("rr }", "\"rr }\"")]
    [InlineData("*:80", "\"*:80\"")]
    [InlineData("[::]:80", "\"[::]:80\"")]
    [InlineData("a\nb", "\"a\\u000Ab\"")]
    [InlineData("\"hi\\", "\"\\\"hi\\\\\"")]
    [InlineData("[a, {b: c}]", "[a, {b: c}]")]
    [InlineData("'quoted'", "'quoted'")]
    [InlineData("10.0.0.1:80", "10.0.0.1:80")]
    public void A_value_never_becomes_more_than_one_value(string value, string written) => Assert.Equal(written, YamlValue.Write(value));

    [Fact]
    public void Every_sample_can_be_changed_throughout_and_loses_no_comment()
    {
        foreach (string path in Directory.GetFiles(Path.Combine(TestFolder.Repository, "samples"), "*.yaml"))
        {
            string text = File.ReadAllText(path);
            foreach (Bascule.Core.Model.VirtualServer virtualServer in Check(text).VirtualServers)
            {
                foreach (Bascule.Core.Model.RealServer realServer in virtualServer.RealServers)
                {
                    string name = $"{virtualServer.Name}/{Bascule.Core.Api.StatusReader.AddressText(realServer.Address)}";
                    string next = Edited(text, $"edit {name} weight=77");
                    Assert.Equal(Comments(text), Comments(next));
                    Assert.Equal(77, Check(next).VirtualServers.First(v => v.Name == virtualServer.Name).RealServers.First(r => r.Address.Equals(realServer.Address)).Weight);
                    text = next;
                }
            }
        }
    }

    [Fact]
    public void A_fallback_server_is_changed_and_deleted_in_its_own_list()
    {
        string text = File.ReadAllText(Path.Combine(TestFolder.Repository, "samples", "quorum.yaml"));

        string changed = Edited(text, "edit shop/10.0.0.92:8080 weight=5");
        string without = Edited(Edited(text, "delete shop/10.0.0.91:8080"), "delete shop/10.0.0.92:8080");

        Assert.Equal(5, Check(changed).VirtualServers[0].RealServers.Single(r => r.IsFallback && r.Address.ToString() == "10.0.0.92:8080").Weight);
        Assert.DoesNotContain(Check(without).VirtualServers[0].RealServers, r => r.IsFallback);
        Assert.Equal(3, Check(without).VirtualServers[0].RealServers.Count);
    }

    internal static string Edited(string text, string command)
    {
        EditedText edited = Apply(text, command);
        Assert.True(edited.Text is not null, $"{command}: {edited.Refusal?.Error}\n{text}");
        return edited.Text!;
    }

    internal static EditedText Apply(string text, string command)
    {
        string[] words = command.Split(' ');
        return ConfigurationEditor.Apply(text, Check(text), new()
        {
            Kind = Enum.Parse<ChangeKind>(words[0], ignoreCase: true),
            Name = words[1],
            Settings = [.. words[2..].Select(w => w.Split('=', 2)).Select(p => new SettingChange(p[0], p[1].Length == 0 ? null : p[1]))],
        });
    }

    internal static Bascule.Core.Model.Configuration Check(string text)
    {
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Assert.True(read.Meant is not null, $"{string.Join('\n', read.Problems.Select(p => p.Format("file")))}\n{text}");
        return read.Meant!;
    }

    internal static string[] Comments(string text) => [.. text.Split('\n').Where(line => line.Contains('#', StringComparison.Ordinal)).Select(line => line[line.IndexOf('#', StringComparison.Ordinal)..].TrimEnd('\r'))];

    /// <summary>The lines that differ, the context left out.</summary>
    internal static IEnumerable<string> Difference(string before, string command) =>
        Bascule.Core.Config.Sharing.LineDifference.Between(before, Edited(before, command)).Where(line => line[0] is '+' or '-');
}
