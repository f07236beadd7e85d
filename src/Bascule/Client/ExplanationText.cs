using Bascule.Core.Api;
using Bascule.Core.Frames;

namespace Bascule.Client;

/// <summary>The answer of <c>bascule explain</c>: which virtual server, which real server and why, and where the frame goes.</summary>
internal static class ExplanationText
{
    private const int DefaultGuePort = 6080;

    public static void Write(TextWriter to, Explanation answer)
    {
        to.WriteLine(answer.Packet);
        to.WriteLine($"  virtual server  {(answer.VirtualServer is { } name ? $"{name}, scheduler {answer.Scheduler}" : "none")}");
        if (answer.RealServer is { } realServer)
            to.WriteLine($"  real server     {realServer} by {answer.Forwarding}: {PacketWords.Of(answer.Reason, answer.Scheduler ?? "")}");
        else if (answer.VirtualServer is not null)
            to.WriteLine("  real server     none");
        if (answer.Slot is { } slot)
            to.WriteLine($"  hash            {answer.Hash:x8}, slot {slot}");
        to.WriteLine($"  the packet      {Fate(answer)}");
        foreach (string line in answer.Frame is { } frame ? FrameText.Describe(frame, answer.Forwarding == "tun gue" ? DefaultGuePort : 0) : [])
            to.WriteLine($"                  {line}");
    }

    private static string Fate(Explanation answer) => answer.Verdict switch
    {
        PacketVerdict.ToStack => answer.VirtualServer is null ? "goes up to the director's own stack, unchanged" : "goes up to the director's own stack, which is that real server",
        PacketVerdict.Sent => $"leaves by {answer.Interface ?? "an interface that is gone"} as",
        PacketVerdict.Answered => $"is answered by the datapath itself, by {answer.Interface ?? "the interface it came from"}, with",
        PacketVerdict.Dropped => $"is dropped: {PacketWords.Of(answer.Drop)}",
    };
}
