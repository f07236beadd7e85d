namespace Bascule.Lab.Tests.Pair;

/// <summary>Bascule and keepalived for one address: ours on director-1, keepalived on director-2.</summary>
internal sealed class MixedPair : IAsyncDisposable
{
    public const string Ours = "director-1", Theirs = "director-2";

    private MixedPair(LabWatch answers, LabWatch words, PairSettings settings, KeepalivedRouter router)
    {
        (Answers, Words) = (answers, words);
        (Settings, Router) = (settings, router);
    }

    /// <summary>From the client: who answers.</summary>
    public LabWatch Answers { get; }

    /// <summary>On the wire between the two, unicast too.</summary>
    public LabWatch Words { get; }

    public PairDirector Bascule { get; private set; } = null!;

    public Keepalived Keepalived { get; private set; } = null!;

    /// <summary>Who was started first.</summary>
    public IRouterProcess Active { get; private set; } = null!;

    /// <summary>The other.</summary>
    public IRouterProcess Backup { get; private set; } = null!;

    public TimeSpan Interval => TimeSpan.FromSeconds(Router.Interval);

    private PairSettings Settings { get; }

    private KeepalivedRouter Router { get; }

    /// <summary>Starts both; the first becomes Active, and the second has heard it. Equal priorities, and neither preempts, unless told otherwise.</summary>
    /// <param name="weAreActive">Whether ours is first.</param>
    public static async Task<MixedPair> StartAsync(PairFixture lab, bool weAreActive, int version = 3, bool unicast = false, int ours = 100, int theirs = 100, bool preempt = false, bool theyPreempt = false, string? address = null)
    {
        address ??= $"{PairPlan.VirtualAddress}/24";
        string watched = address.Split('/')[0];
        PairSettings settings = new()
        {
            HasPeer = false,
            Version = version,
            Unicast = unicast,
            Address = address,
            Interval = version == 2 ? "1s" : "100ms",
            Preempt = preempt ? "true" : "false",
            Priority = new() { [Ours] = ours },
        };
        KeepalivedRouter router = new()
        {
            Version = version,
            Interval = version == 2 ? 1 : 0.1,
            Priority = theirs,
            Address = address,
            More = preempt || theyPreempt ? "" : "nopreempt",
            Unicast = unicast ? (PairPlan.LanOf(Theirs), PairPlan.LanOf(Ours)) : null,
        };
        MixedPair pair = new(await lab.WatchAsync(watched), await lab.ListenAsync(Theirs), settings, router);
        try
        {
            if (weAreActive)
                await pair.StartBasculeAsync(lab);
            else
                await pair.StartKeepalivedAsync(lab);
            await Takeover.AnswersAsync(pair.Answers, weAreActive ? Ours : Theirs);
            if (weAreActive)
                await pair.StartKeepalivedAsync(lab);
            else
                await pair.StartBasculeAsync(lab);
            IRouterProcess[] order = weAreActive ? [pair.Bascule, pair.Keepalived] : [pair.Keepalived, pair.Bascule];
            (pair.Active, pair.Backup) = (order[0], order[1]);
            if (!preempt)
                await Takeover.IsHeardAsync(pair.Words, pair.Active.Director);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until a director speaks and answers, which did not before.</summary>
    public Task<Takeover> TakenByAsync(IRouterProcess router, long since) => Takeover.SeenAsync(Words, Answers, router.Director, since);

    public async ValueTask DisposeAsync()
    {
        if (Bascule is not null)
            await Bascule.DisposeAsync();
        if (Keepalived is not null)
            await Keepalived.DisposeAsync();
        await Answers.DisposeAsync();
        await Words.DisposeAsync();
    }

    private async Task StartBasculeAsync(PairFixture lab) => Bascule = await PairDirector.StartAsync(lab, Ours, Settings);

    private async Task StartKeepalivedAsync(PairFixture lab) => Keepalived = await Keepalived.StartAsync(lab, Theirs, Router);
}
