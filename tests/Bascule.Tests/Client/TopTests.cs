using Bascule.Client;
using Bascule.Core.Api;

namespace Bascule.Tests.Client;

public sealed class TopTests
{
    private static readonly DirectorStatus Before = StatusTextTests.Status;

    [Fact]
    public void Rates_are_of_the_time_between_two_looks()
    {
        TopFrame frame = TopFrame.Between(Before, Later(2, r => r with { Requests = r.Requests + 10, BytesIn = r.BytesIn + 3000 }));

        TopRow row = frame.Rows.First(r => r.RealServer == "10.0.0.11:8080");
        Assert.Equal((2.0, 5.0, 1500.0, 0.0), (frame.Seconds, row.Requests, row.BytesIn, row.Failures));
        Assert.Equal(5.0 * Before.VirtualServers[0].RealServers.Length, frame.Rows[0].Requests);
    }

    [Fact]
    public void Nothing_is_negative_after_a_restart_or_a_real_server_that_began_anew()
    {
        DirectorStatus restarted = Later(2, r => r with { Requests = 0 }) with { StartedAt = Before.StartedAt.AddSeconds(1) };
        DirectorStatus anew = Later(2, r => r with { Requests = 0 });

        Assert.All(TopFrame.Between(Before, restarted).Rows, r => Assert.Equal(0, r.Requests));
        Assert.All(TopFrame.Between(Before, anew).Rows, r => Assert.Equal(0, r.Requests));
        Assert.All(TopFrame.Between(null, Before).Rows, r => Assert.Equal(0, r.Requests));
    }

    [Fact]
    public void S_goes_through_the_orders_and_q_ends()
    {
        TopView view = new();
        TopFrame frame = TopFrame.Between(Before, Later(1, r => r));
        Assert.Equal("web", view.Choose(frame)[0].VirtualServer);
        Assert.Null(view.Choose(frame)[0].RealServer);

        Press(view, "s");
        Assert.Equal(TopOrder.Active, view.Order);
        Assert.Equal(view.Choose(frame).Select(r => r.Active).OrderDescending(), view.Choose(frame).Select(r => r.Active));
        Press(view, "ssss");
        Assert.Equal(TopOrder.File, view.Order);
        Press(view, "q");
        Assert.True(view.IsOver);
    }

    [Fact]
    public void A_filter_is_typed_after_a_slash_and_letters_are_no_keys_meanwhile()
    {
        TopView view = new();
        TopFrame frame = TopFrame.Between(Before, Later(1, r => r));

        Press(view, "/quies\r");

        Assert.False(view.IsOver);
        Assert.Equal(["web", "  -> 10.0.0.13:8080"], view.Choose(frame).Select(r => view.Cells(r)[0]));
        view.Press(new('\0', ConsoleKey.Escape, false, false, false));
        Assert.Equal(frame.Rows.Length, view.Choose(frame).Count);
    }

    [Fact]
    public void Stats_show_each_share_of_the_work()
    {
        using StringWriter to = new() { NewLine = "\n" };
        StatsText.Write(to, Later(1, r => r with { Requests = r.Address == "10.0.0.11:8080" ? 3 : 1 }).VirtualServers);

        Assert.Contains("web: HTTP 192.0.2.10:80", to.ToString(), StringComparison.Ordinal);
        Assert.Contains("12 ended: Completed 11, ClientLeft 1", to.ToString(), StringComparison.Ordinal);
        Assert.Contains("42.9 %", to.ToString(), StringComparison.Ordinal);
    }

    private static void Press(TopView view, string keys)
    {
        foreach (char key in keys)
            view.Press(new(key, key == '\r' ? ConsoleKey.Enter : ConsoleKey.NoName, false, false, false));
    }

    private static DirectorStatus Later(int seconds, Func<RealServerStatus, RealServerStatus> change) => Before with
    {
        Now = Before.Now.AddSeconds(seconds),
        VirtualServers = [.. Before.VirtualServers.Select(v => v with { RealServers = [.. v.RealServers.Select(change)] })],
    };
}
