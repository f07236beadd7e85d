using Bascule.Core.Api;
using Bascule.Testing;

namespace Bascule.Tests.Daemon;

public sealed class SlowStartTests
{
    private const int Requests = 60;

    [Fact]
    public async Task A_real_server_that_comes_up_gets_little_at_first_and_its_share_in_the_end()
    {
        await using FakeRealServer alpha = RunningDaemon.Named("alpha");
        await using FakeRealServer beta = RunningDaemon.Named("beta");
        await using RunningDaemon daemon = new();
        await beta.RefuseAsync();
        Write("10m"); // however busy this machine is, it is at its very beginning
        await daemon.StartAsync();

        beta.Listen();
        await daemon.Process.HasWrittenAsync($"{beta.Address} is up");
        int early = await AnsweredByBetaAsync();
        RealServerStatus starting = (await daemon.StatusAsync()).VirtualServers[0].RealServers[1];
        Write("1ms");
        await BasculeProcess.RunAsync("reload", "-s", daemon.Socket);
        await AnsweredByBetaAsync(); // wrr ends the round it is in
        int late = await AnsweredByBetaAsync();

        Assert.InRange(early, 0, Requests / 10);
        Assert.InRange(starting.Share, 3, 50);
        Assert.Equal(Requests / 2, late);
        Assert.Equal(100, (await daemon.StatusAsync()).VirtualServers[0].RealServers[1].Share);

        void Write(string length)
        {
            daemon.Write([alpha, beta], $"slowStart: {length}\n    check: {{ type: tcp, interval: 50ms, timeout: 50ms, rise: 1, fall: 1 }}");
            File.WriteAllText(daemon.File, File.ReadAllText(daemon.File).Replace("scheduler: rr", "scheduler: wrr", StringComparison.Ordinal));
        }

        async Task<int> AnsweredByBetaAsync()
        {
            int answered = 0;
            for (int i = 0; i < Requests; i++)
                answered += await daemon.GetAsync() == "beta" ? 1 : 0;
            return answered;
        }
    }
}
