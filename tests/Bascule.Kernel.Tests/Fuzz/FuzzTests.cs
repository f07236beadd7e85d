using System.Buffers.Binary;
using Bascule.Packets.Xdp;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Fuzz;

/// <summary>A million damaged frames through the whole program, every method and scheduler at once.</summary>
public sealed class FuzzTests
{
    private const int Frames = 1_000_000, FramesAtTcx = 200_000, Room = 4096, ShortestForXdp = 14, ShortestForTcx = 14 + 40;
    private const int LongestHeaders = 40 + 8; // what a tunnel adds at most: IPv6 and UDP

    // What a frame that is ours must mention somewhere: a virtual address, or the real servers' network.
    private static readonly byte[] Virtual4 = [192, 0, 2, 10], Virtual6 = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0], RealServers4 = [10, 0, 0], RealServers6 = [0xfd, 0, 0, 0];

    [KernelTheory]
    [InlineData(DatapathObject.Xdp, Frames, 1)]
    [InlineData(DatapathObject.Tcx, FramesAtTcx, 2)]
    public void No_damaged_frame_gets_more_than_it_should(string file, int frames, int seed)
    {
        using Datapath datapath = Everything.Load(file);
        byte[][] corpus = Everything.Corpus();
        Mutator mutator = new(new Random(seed), corpus, file == DatapathObject.Xdp ? ShortestForXdp : ShortestForTcx);
        Span<byte> frame = new byte[Room], output = new byte[Room];
        int[] verdicts = new int[5];

        for (int i = 0; i < frames; i++)
        {
            int length = mutator.Next(frame);
            ReadOnlySpan<byte> sent = frame[..length];
            (Verdict verdict, int left) = datapath.Run(sent, output);
            if (WhatIsWrong(sent, verdict, output[..left]) is { } wrong)
                Assert.Fail($"frame {i} of seed {seed}: {wrong}\nin  {PacketText.Describe(sent)}\n    {Convert.ToHexString(sent)}\nout {verdict} {PacketText.Describe(output[..left])}");
            verdicts[(int)verdict]++;
        }

        // The corpus still reaches every way out: otherwise nothing was tested.
        Assert.All([Verdict.Drop, Verdict.Pass, Verdict.Redirect], verdict => Assert.True(verdicts[(int)verdict] > frames / 100 || verdict == Verdict.Redirect, $"{verdict}: {verdicts[(int)verdict]}"));
        Assert.True(verdicts[(int)Verdict.Transmit] + verdicts[(int)Verdict.Redirect] > frames / 10);
    }

    [KernelFact]
    public void A_frame_that_is_unsound_or_not_for_us_changes_nothing_that_is_remembered()
    {
        (int hostile, int changedBy) = SendHostile(Frames / 4, 0);

        if (changedBy < Frames / 4)
            Assert.Fail(Culprit(changedBy));
        Assert.True(hostile > 50_000, $"{hostile}");
    }

    [KernelFact]
    public void The_corpus_is_forwarded_as_it_is()
    {
        using Datapath datapath = Everything.Load(DatapathObject.Xdp);

        int forwarded = Everything.Corpus().Count(frame => datapath.Send(frame).Verdict is Verdict.Transmit or Verdict.Redirect);

        Assert.True(forwarded > Everything.Corpus().Length / 3, $"{forwarded} of {Everything.Corpus().Length}");
    }

    // The hostile ones of so many damaged frames, onto tables that are in use. State is compared now and then, from one frame on after each.
    private static (int Hostile, int ChangedBy) SendHostile(int frames, int eachFrom)
    {
        const int NowAndThen = 25_000;
        using Datapath datapath = Everything.Load(DatapathObject.Xdp);
        byte[][] corpus = Everything.Corpus();
        foreach (byte[] good in corpus)
            datapath.Send(good);
        string before = State.Of(datapath);
        Assert.Contains("flows4", before, StringComparison.Ordinal);
        Mutator mutator = new(new Random(3), corpus, ShortestForXdp);
        Span<byte> frame = new byte[Room], output = new byte[Room];

        int hostile = 0;
        for (int i = 0; i < frames; i++)
        {
            ReadOnlySpan<byte> sent = frame[..mutator.Next(frame)];
            bool isHostile = Soundness.IsUnsound(sent) || !MentionsUs(sent);
            if (isHostile)
                datapath.Run(sent, output);
            hostile += isHostile ? 1 : 0;
            bool compare = eachFrom > 0 ? i >= eachFrom && isHostile : (i + 1) % NowAndThen == 0;
            if (compare && State.Of(datapath) is var now && now != before)
                return (hostile, eachFrom > 0 ? throw new InvalidOperationException($"{PacketText.Describe(sent)}\n{Convert.ToHexString(sent)}\n{Difference(before, now)}") : i);
        }

        return (hostile, frames);
    }

    // Only when the test has failed: the same frames once more, to name the one that did it.
    private static string Culprit(int changedBy)
    {
        const int NowAndThen = 25_000;
        try
        {
            SendHostile(changedBy + 1, Math.Max(1, changedBy - NowAndThen));
            return $"state changed within the {NowAndThen} frames up to {changedBy}, but not the second time";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static string? WhatIsWrong(ReadOnlySpan<byte> sent, Verdict verdict, ReadOnlySpan<byte> output)
    {
        switch (verdict)
        {
            case Verdict.Pass:
                return output.SequenceEqual(sent) ? null : "passed, but changed";
            case Verdict.Drop:
                return MentionsUs(sent) ? null : "dropped, but not for us";
            case Verdict.Transmit or Verdict.Redirect:
                if (!MentionsUs(sent))
                    return "sent, but not for us";
                if (output.Length > sent.Length + LongestHeaders)
                    return "longer than any tunnel makes it";
                return IsSound(output) ? null : "sent, but its lengths do not agree";
            default:
                return "the program broke off";
        }
    }

    private static bool MentionsUs(ReadOnlySpan<byte> frame) =>
        frame.IndexOf(Virtual4) >= 0 || frame.IndexOf(Virtual6) >= 0 || frame.IndexOf(RealServers4) >= 0 || frame.IndexOf(RealServers6) >= 0;

    // Link and IP header of what is sent: the receiver must be able to read it.
    private static bool IsSound(ReadOnlySpan<byte> frame)
    {
        int at = 12;
        while (at + 6 <= frame.Length && BinaryPrimitives.ReadUInt16BigEndian(frame[at..]) is 0x8100 or 0x88A8)
            at += 4;
        ReadOnlySpan<byte> packet = frame[(at + 2)..];
        return BinaryPrimitives.ReadUInt16BigEndian(frame[at..]) switch
        {
            0x0800 => packet.Length >= 20 && packet[0] >> 4 == 4 && BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) <= packet.Length,
            0x86DD => packet.Length >= 40 && packet[0] >> 4 == 6 && BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) <= packet.Length - 40,
            _ => false,
        };
    }

    private static string Difference(string before, string now)
    {
        HashSet<string> known = [.. before.Split('\n')];
        return string.Join('\n', now.Split('\n').Where(line => !known.Contains(line)).Take(5));
    }
}
