using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>Damaged tunnels on a real server: what comes up is a sound packet for an address it serves, or what came in.</summary>
public sealed class DecapFuzzTests
{
    private const int Room = 4096;

    private static readonly byte[] End4 = [10, 0, 0, 11], End6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11];
    private static readonly byte[] Served4 = [192, 0, 2, 10], Served6 = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];

    [KernelTheory]
    [InlineData(DatapathObject.DecapXdp, 300_000, 14)]
    [InlineData(DatapathObject.DecapTcx, 100_000, 14 + 40)]
    public void No_damaged_tunnel_brings_up_what_it_should_not(string file, int frames, int shortest)
    {
        using Datapath realServer = DecapTests.Decap(file);
        Mutator mutator = new(new Random(5), Corpus(), shortest);
        Span<byte> frame = new byte[Room], output = new byte[Room];
        int taken = 0, dropped = 0;

        for (int i = 0; i < frames; i++)
        {
            ReadOnlySpan<byte> sent = frame[..mutator.Next(frame)];
            (Verdict verdict, int length) = realServer.Run(sent, output);
            ReadOnlySpan<byte> up = output[..length];
            bool isTunnelForUs = sent.IndexOf(End4) >= 0 || sent.IndexOf(End6) >= 0;
            bool isTaken = verdict == Verdict.Pass && !up.SequenceEqual(sent);
            string? wrong = verdict switch
            {
                Verdict.Drop => isTunnelForUs ? null : "dropped, but not for this host",
                Verdict.Pass when !isTaken => null,
                Verdict.Pass when !isTunnelForUs => "changed, but not for this host",
                Verdict.Pass => up.Length < sent.Length && (up.IndexOf(Served4) >= 0 || up.IndexOf(Served6) >= 0) ? null : "brought up for an address that is not served",
                Verdict.Aborted or Verdict.Transmit or Verdict.Redirect => "no verdict of this program",
            };
            if (wrong is not null)
                Assert.Fail($"frame {i}: {wrong}\nin  {PacketText.Describe(sent)}\n    {Convert.ToHexString(sent)}\nout {verdict} {PacketText.Describe(up)}");
            taken += isTaken ? 1 : 0;
            dropped += verdict == Verdict.Drop ? 1 : 0;
        }

        Assert.InRange(taken, frames / 10, frames);
        Assert.InRange(dropped, frames / 50, frames);
    }

    private static byte[][] Corpus()
    {
        List<byte[]> frames = [];
        foreach (PacketBuilder inner in new[]
        {
            PacketBuilder.Ip.Ipv4(Scene.Client4, Scene.Virtual4, tos: 2).Tcp(4242, 80).PayloadOf(40),
            PacketBuilder.Ip.Ipv6(Scene.Client6, Scene.Virtual6, trafficClass: 2).Udp(4242, 53).PayloadOf(40),
        })
        {
            foreach (PacketBuilder outer in new[] { PacketBuilder.Ip.Ipv4(Scene.Director4, Scene.RealServer4, tos: 3), PacketBuilder.Ip.Ipv6(Scene.Director6, Scene.RealServer6, trafficClass: 2) })
            {
                foreach (PacketBuilder link in new[] { PacketBuilder.Ethernet(), PacketBuilder.Ethernet().Vlan(7) })
                {
                    frames.Add(link.Then(outer).Then(inner).Frame());
                    frames.Add(link.Then(outer).Gre().Then(inner).Frame());
                    frames.Add(link.Then(outer).Udp(50000, 6080).Then(inner).Frame());
                    frames.Add(link.Then(inner).Frame());
                }
            }
        }

        return [.. frames];
    }
}
