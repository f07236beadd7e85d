using System.Globalization;
using System.Net.NetworkInformation;
using System.Text;

namespace Bascule.Lab.Watch;

/// <summary>One takeover, step by step and as a bar of time.</summary>
/// <param name="seen">By a watch on the client's machine.</param>
/// <param name="fault">When the Active one was killed.</param>
/// <param name="before">Who had the address.</param>
/// <param name="after">Who has it now.</param>
internal sealed class TakeoverPicture(Timeline seen, long fault, PhysicalAddress before, PhysicalAddress after, TimeProvider time)
{
    private const int From = -100, To = 1500, Step = 20; // milliseconds

    /// <summary>For people.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach ((string what, Sighting? sighting) in Steps())
        {
            string at = sighting is null ? "not seen" : string.Create(CultureInfo.InvariantCulture, $"{Milliseconds(sighting.At),7:F1} ms");
            text.AppendLine(CultureInfo.InvariantCulture, $"  {at,10}  {what}");
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"  answers  |{Bar(Sight.Service)}|");
        text.AppendLine(CultureInfo.InvariantCulture, $"  owners   |{Bar(Sight.Owner)}|");
        text.AppendLine(CultureInfo.InvariantCulture, $"            {Scale()}");
        text.AppendLine("            1, 2: that director; B: both; -: nobody; a sign is 20 ms, 0 is the kill");
        return text.ToString();
    }

    private (string What, Sighting? Seen)[] Steps()
    {
        Sighting? lastWord = seen.Of(Sight.Advertisement).LastOrDefault(s => s.From.Equals(before) && s.At <= fault);
        return
        [
            ("the last advertisement of the one that was killed", lastWord),
            ("killed", new(fault, Sight.Advertisement, before, 0, 0)),
            ("detected and decided: the other one has waited three advertisements and its skew, and says that it is Active", First(Sight.Advertisement)),
            ("announced: the first gratuitous ARP", First(Sight.Announcement)),
            ("the first answer: a connection to the service is taken up", First(Sight.Service)),
        ];
    }

    private Sighting? First(Sight what) => seen.Of(what).FirstOrDefault(s => s.At > fault && s.From.Equals(after));

    private string Bar(Sight what)
    {
        StringBuilder bar = new();
        for (int at = From; at < To; at += Step)
        {
            PhysicalAddress[] who = [.. seen.Of(what).Where(s => Milliseconds(s.At) >= at && Milliseconds(s.At) < at + Step).Select(s => s.From).Distinct()];
            bar.Append(who switch
            {
                [] => '-',
                [var one] => one.Equals(before) ? '1' : '2',
                _ => 'B',
            });
        }

        return bar.ToString();
    }

    private static string Scale()
    {
        StringBuilder scale = new();
        for (int at = From; at < To; at += 100)
            scale.Append(at.ToString(CultureInfo.InvariantCulture).PadRight(100 / Step));
        return scale.ToString();
    }

    private double Milliseconds(long at) => time.GetElapsedTime(fault, at).TotalMilliseconds;
}
