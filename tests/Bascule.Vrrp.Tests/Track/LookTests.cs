using System.Net;
using Bascule.Linux.Netlink;
using Bascule.Vrrp.Track;

namespace Bascule.Vrrp.Tests.Track;

public sealed class LookTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [Theory]
    [InlineData("0", true, 0)]
    [InlineData("  -20\n", false, -20)]
    [InlineData("7", false, 7)]
    [InlineData("100000", false, 254)]
    [InlineData("", true, 0)]
    [InlineData("many", false, 0)]
    public void A_file_holds_a_number(string text, bool isWell, int value)
    {
        File.WriteAllText(_file, text);

        TrackedState state = Look.AtFile(new(_file, Weight: 0));

        Assert.Equal((isWell, value), (state.IsWell, state.Value));
    }

    [Fact]
    public void A_file_that_is_not_there_holds_0() => Assert.Equal(new(true, 0, "it is not there"), Look.AtFile(new(_file, Weight: 0)));

    [Fact]
    public void A_folder_in_place_of_the_file_is_not_well() => Assert.False(Look.AtFile(new(Path.GetTempPath(), Weight: 0)).IsWell);

    [Fact]
    public void Processes_are_counted_by_name()
    {
        string own = File.ReadAllText("/proc/self/comm").TrimEnd('\n');

        Assert.True(Look.AtProcesses(new(own, AtLeast: 1, Weight: 0)).IsWell);
        Assert.Equal(new(false, 0, "0 of it running, at least 1 wanted"), Look.AtProcesses(new("no-such-process", AtLeast: 1, Weight: 0)));
    }

    [Fact]
    public void An_interface_that_is_not_there_is_not_well()
    {
        using Network network = new();

        Assert.Equal(new(false, 0, "there is no such interface"), Look.AtInterface(network, new("nosuch0", Weight: 0)));
        Assert.True(Look.AtInterface(network, new("lo", Weight: 0)).IsWell);
    }

    [Fact]
    public void A_route_is_asked_of_the_kernel()
    {
        using Network network = new();

        Assert.True(Look.AtRoute(network, new(IPNetwork.Parse("127.0.0.0/8"), Weight: 0)).IsWell);
    }

    [Theory]
    [InlineData("++-", 1, 2, true)] // one failure of the two that are needed
    [InlineData("+--", 1, 2, false)]
    [InlineData("-+", 2, 1, false)] // one success of the two that are needed
    [InlineData("-++", 2, 1, true)]
    [InlineData("+-+-+-", 1, 2, true)] // never two in a row
    [InlineData("-", 3, 3, false)] // the first decides at once
    [InlineData("+", 3, 3, true)]
    public void Runs_of_a_script_count_in_a_row(string runs, int rise, int fall, bool isWell)
    {
        ScriptTrack script = new(new("test", ["/bin/true"], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), rise, fall, Weight: 0));

        bool last = false;
        foreach (char run in runs)
            last = script.Count(run == '+');

        Assert.Equal(isWell, last);
    }

    public void Dispose() => File.Delete(_file);
}
