using Bascule.Core.Model;

namespace Bascule.Vrrp;

/// <summary>
/// What the things that an instance tracks do to its priority, as keepalived reckons: a weight above 0 is added while its thing is well,
/// one below 0 subtracted while it is not, a file's number is multiplied by its weight and added. One of weight 0 that is not
/// well holds the instance back altogether.
/// </summary>
internal sealed class Weights
{
    private byte _priority;
    private readonly Thing[] _things;

    /// <param name="priority">As configured. 255 is never changed: the addresses are the machine's own, whatever happens.</param>
    /// <param name="tracked">None of them known to be well yet.</param>
    public Weights(byte priority, params ReadOnlySpan<Tracked> tracked)
    {
        Priority = _priority = priority;
        _things = new Thing[tracked.Length];
        for (int i = 0; i < tracked.Length; i++)
            _things[i] = new Thing { Weight = tracked[i].Weight, IsFile = tracked[i] is TrackedFile };
        Reckon();
    }

    /// <summary>1 to 254, or 255 where that is configured.</summary>
    public byte Priority { get; private set; }

    /// <summary>Whether everything of weight 0 is well. One that has not said anything yet is not.</summary>
    public bool MayRun { get; private set; }

    /// <summary>What became of one of them.</summary>
    /// <param name="thing">Its number, in the order of the constructor.</param>
    /// <param name="isWell">Whether it is; for a file of weight 0, whether its number is 0.</param>
    /// <param name="number">A file's.</param>
    public void Set(int thing, bool isWell, int number)
    {
        ref Thing changed = ref _things[thing];
        (changed.IsKnown, changed.IsWell, changed.Number) = (true, isWell, number);
        Reckon();
    }

    /// <summary>Another priority was configured; neither is 255.</summary>
    public void Change(byte priority)
    {
        _priority = priority;
        Reckon();
    }

    private void Reckon()
    {
        long sum = _priority;
        MayRun = true;
        foreach (ref readonly Thing thing in _things.AsSpan())
        {
            sum += thing.Share;
            MayRun &= thing.Weight != 0 || thing is { IsKnown: true, IsWell: true };
        }

        // 255 is the owner's, and 0 a goodbye: neither is reached by weights. RFC 9568 §5.2.4.
        if (_priority != Advertisement.Owner)
            Priority = (byte)long.Clamp(sum, 1, Advertisement.Owner - 1);
    }

    private struct Thing
    {
        public int Weight;
        public bool IsFile;
        public bool IsKnown;
        public bool IsWell;
        public int Number;

        public readonly long Share => (IsKnown, IsFile) switch
        {
            (false, _) => 0,
            (true, true) => long.Clamp((long)Number * Weight, -253, 253),
            (true, false) => IsWell ? int.Max(Weight, 0) : int.Min(Weight, 0),
        };
    }
}
