using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Proxy.Tests.Udp;

/// <summary>DNS and syslog with programs that we did not write.</summary>
public sealed class RealProgramTests
{
    [Fact]
    public async Task Dig_asks_two_dnsmasq_in_turn_by_ipv4_and_ipv6()
    {
        using Dnsmasq one = new("192.0.2.1"), two = new("192.0.2.2");
        await one.IsReadyAsync();
        await two.IsReadyAsync();
        IPEndPoint six = new(IPAddress.IPv6Loopback, Director.FreeAddress().Port);
        VirtualServer dns = Director.Udp(one.Address, two.Address) with { Packets = new() { OnePacket = true } };
        await using Director director = Director.Start(dns with { Addresses = [dns.Addresses[0], new(six)] });

        string[] answers = [await DigAsync(director.Address), await DigAsync(six), await DigAsync(director.Address), await DigAsync(six)];

        Assert.Equal(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"], answers);
        Assert.Equal((2, 2), (director.RealServer(0).Counters[0].PacketsOut, director.RealServer(1).Counters[0].PacketsOut));
    }

    [Fact]
    public async Task Lines_of_logger_all_arrive_though_nothing_is_answered()
    {
        using FakeDatagramServer one = FakeDatagramServer.Silent(), two = FakeDatagramServer.Silent();
        await using Director director = Director.Start(Director.Udp(one.Address, two.Address));

        for (int line = 0; line < 6; line++)
        {
            await RunAsync("logger", "--udp", "--server", $"{director.Address.Address}", "--port", director.Address.Port.ToString(CultureInfo.InvariantCulture),
                "--rfc5424", "--tag", "bascule-test", $"line {line}");
        }

        await Eventually.HoldsAsync(() => one.Received.Count == 3 && two.Received.Count == 3); // each logger is a client of its own
        Assert.Equal(Enumerable.Range(0, 6).Select(line => $"line {line}"), one.Received.Concat(two.Received).Select(r => r.Text[^6..]).Order());
    }

    private static Task<string> DigAsync(IPEndPoint server) =>
        RunAsync("dig", $"@{server.Address}", "-p", server.Port.ToString(CultureInfo.InvariantCulture), "+short", "+tries=1", "+time=10", "ok.example", "A");

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string said = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {said}");
        return said.Trim();
    }

    /// <summary>A name server that has the same answer to every question for ok.example, on an address of its own.</summary>
    private sealed class Dnsmasq : IDisposable
    {
        private readonly Process _process;

        public Dnsmasq(string answer)
        {
            _process = Process.Start(new ProcessStartInfo("/usr/sbin/dnsmasq",
                ["--keep-in-foreground", "--conf-file=/dev/null", $"--port={Address.Port}", $"--listen-address={Address.Address}", "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file=", $"--address=/ok.example/{answer}", "--user="])
            { RedirectStandardError = true })!;
        }

        public IPEndPoint Address { get; } = Director.FreeAddress();

        /// <summary>It listens on TCP, too, and then on both.</summary>
        public Task IsReadyAsync() => Eventually.HoldsAsync(() =>
        {
            if (_process.HasExited)
                Assert.Fail($"dnsmasq has ended: {_process.StandardError.ReadToEnd()}");
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(Address);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
