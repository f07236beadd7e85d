using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using Bascule.Core.Api;
using Bascule.Core.Frames;

namespace Bascule.Admin.Tests;

/// <summary>A packet engine that answers what a test wants, and notes what it was asked.</summary>
internal sealed class FakeDatapath
{
    public static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    public int Flows { get; set; }

    /// <summary>Packets of a capture before it goes on in silence.</summary>
    public int Captured { get; set; }

    public bool IsCapturing { get; set; }

    public ConnectionQuestion? AskedConnections { get; private set; }

    public CaptureQuestion? AskedCapture { get; private set; }

    public TaskCompletionSource CaptureEnded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PacketAnswers Answers => new()
    {
        Report = () => new(
            new() { Interfaces = [], Flows = Flows, FlowsAtMost = 1024, Drops = ImmutableSortedDictionary<DropReason, long>.Empty, StateFolder = "/sys/fs/bpf/bascule" },
            ImmutableDictionary<string, PacketTraffic>.Empty.Add("web", new(TrafficCount.None, ImmutableDictionary<IPEndPoint, RealServerTraffic>.Empty))),
        Connections = Connections,
        Sessions = () => [new("web", "10.0.0.11:80", 3)],
        Explain = packet => new()
        {
            Packet = packet.ToString(),
            VirtualServer = "web",
            RealServer = "10.0.0.11:80",
            Forwarding = "dr",
            Scheduler = "mh",
            Reason = ChoiceReason.Table,
            Hash = 7,
            Slot = 3,
            Verdict = PacketVerdict.Sent,
            Drop = DropReason.None,
            Interface = "eth0",
            Frame = FrameBuilder.Build(packet, new byte[6], new byte[6]),
        },
        Capture = (question, cancellation) => IsCapturing ? null : CaptureAsync(question, cancellation),
        Detach = () => new(["eth0"], []),
    };

    private IEnumerable<ConnectionEntry> Connections(ConnectionQuestion question)
    {
        AskedConnections = question;
        return Enumerable.Range(0, int.Min(Flows, question.Most)).Select(i => new ConnectionEntry
        {
            Protocol = "tcp",
            State = "ESTABLISHED",
            ExpiresIn = 898,
            Client = $"198.51.100.7:{i % 65_535 + 1}",
            VirtualAddress = "192.0.2.10:80",
            VirtualServer = "web",
            RealServer = "10.0.0.11:80",
        });
    }

    private async IAsyncEnumerable<CapturedFrame> CaptureAsync(CaptureQuestion question, [EnumeratorCancellation] CancellationToken cancellation)
    {
        AskedCapture = question;
        byte[] frame = FrameBuilder.Build(PacketText.Parse("tcp 198.51.100.7:4242 > 192.0.2.10:80", null, out _)!, [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        try
        {
            for (uint number = 1; number <= Captured; number++)
            {
                yield return new(Then, "eth0", IsOutgoing: false, number, frame.Length, 0, null, frame);
                yield return new(Then.AddMicroseconds(1), "eth0", IsOutgoing: true, number, frame.Length, 3, "10.0.0.11:80", frame);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        }
        finally
        {
            CaptureEnded.SetResult();
        }
    }
}
