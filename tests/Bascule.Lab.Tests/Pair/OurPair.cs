using System.Net.NetworkInformation;
using Bascule.Core.Api;
using Bascule.Core.Roles;

namespace Bascule.Lab.Tests.Pair;

/// <summary>Two Bascules, watched from the client and from both ends of the wire between them. director-1 is Active.</summary>
internal sealed class OurPair : IAsyncDisposable
{
    public const string First = "director-1", Second = "director-2";

    /// <summary>What the kernel keeps of a lease beyond its second: its timer's grain, and the last renewal's age.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1.3);

    private readonly List<LabWatch> _words = [];

    private OurPair(LabWatch client) => Client = client;

    /// <summary>Who answers, and whether the service does.</summary>
    public LabWatch Client { get; }

    public PairDirector Active { get; private set; } = null!;

    public PairDirector Backup { get; private set; } = null!;

    /// <summary>Starts director-1, and when it serves, director-2, and waits until they hear each other.</summary>
    public static async Task<OurPair> StartAsync(PairFixture lab, PairSettings? settings = null)
    {
        settings ??= new();
        OurPair pair = new(await lab.WatchAsync(settings.Address.Split('/')[0], port: 80));
        try
        {
            pair.Active = await PairDirector.StartAsync(lab, First, settings);
            pair.Backup = await PairDirector.StartAsync(lab, Second, settings);
            await Takeover.AnswersAsync(pair.Client, First);
            await pair.HearEachOtherAsync();
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until both are heard over every link, and say so.</summary>
    public async Task HearEachOtherAsync()
    {
        foreach (PairDirector director in (PairDirector[])[Active, Backup])
            await director.SeesAsync(ha => ha.Peers.All(p => p.Links.All(l => l.IsHeard && l.HearsUs == true)), "heard over every link");
    }

    /// <summary>Listens on a director's port in the lan, until the end.</summary>
    public async Task<LabWatch> ListenAsync(PairFixture lab, string director)
    {
        LabWatch words = await lab.ListenAsync(director);
        _words.Add(words);
        return words;
    }

    /// <summary>Nothing has changed: one became Active once, the other never.</summary>
    public async Task AssertNothingChangedAsync()
    {
        HaStatus active = await Active.HaAsync(), backup = await Backup.HaAsync();
        Assert.All(active.Instances, i => Assert.Equal((Role.Active, 1), (i.Role, i.Counters.BecameActive)));
        Assert.All(backup.Instances, i => Assert.Equal((Role.Backup, 0), (i.Role, i.Counters.BecameActive)));
    }

    /// <summary>Whether a frame came from a director.</summary>
    public static bool IsFrom(Sighting sighting, string director) => sighting.From.Equals(PhysicalAddress.Parse(PairPlan.MacOf(director)));

    public async ValueTask DisposeAsync()
    {
        foreach (PairDirector? director in (PairDirector?[])[Active, Backup])
        {
            if (director is not null)
                await director.DisposeAsync();
        }

        foreach (LabWatch watch in (LabWatch[])[Client, .. _words])
            await watch.DisposeAsync();
    }
}
