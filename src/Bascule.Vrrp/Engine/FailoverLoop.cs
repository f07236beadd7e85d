using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bascule.Core.Model;
using Bascule.Core.Roles;
using Bascule.Linux.Epoll;
using Bascule.Linux.Netlink;
using Bascule.Vrrp.Addresses;
using Bascule.Vrrp.Handover;

namespace Bascule.Vrrp.Engine;

/// <summary>
/// What the failover thread does: waits until something comes or is due, and does it. It never waits for anything else, and allocates nothing while
/// nothing changes. Everything here belongs to that thread, but for what is marked.
/// </summary>
internal sealed class FailoverLoop : IDisposable
{
    /// <summary>Of heartbeats: this and the next.</summary>
    public const ulong FirstPeerToken = 2;

    private const ulong MailboxToken = 0, NetworkToken = 1, FirstLinkToken = 16;
    private const int EventsAtOnce = 32;
    private static readonly TimeSpan GatePatience = TimeSpan.FromSeconds(2);
    private const int Goodbyes = 3; // one may be lost
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromMilliseconds(10);

    private readonly RoleBoard _board;
    private readonly ChannelWriter<News> _news;
    private readonly ConcurrentQueue<Action<FailoverLoop>> _mailbox;
    private readonly WakeUp _wake;
    private readonly EpollSet _epoll = new(EventsAtOnce);
    private readonly Network _network = new();
    private readonly NetworkWatch _watch;
    private readonly VrrpLink[] _links;
    private readonly Instance[] _instances;
    private readonly HashSet<IPAddress> _virtual;
    private readonly PeerTalk _talk;
    private TimeSpan _due;
    private readonly ManualResetEvent _breather = new(initialState: false); // never set
    private string? _saidLast;
    private bool _hasNews;

    public FailoverLoop(HaSettings settings, PeerTalk talk, FailoverSetting setting, TimeProvider time, ChannelWriter<News> news,
        ConcurrentQueue<Action<FailoverLoop>> mailbox, WakeUp wake)
    {
        (_talk, _board, Time, _news, _mailbox, _wake) = (talk, setting.Board, time, news, mailbox, wake);
        // What we do ourselves is no news, nor are neighbours; of routes we hear only where an instance has some.
        NetworkNews routes = settings.Instances.Any(i => i.Routes.Count > 0) ? NetworkNews.Routes : 0;
        _watch = new(NetworkNews.Links | NetworkNews.Addresses | routes, AddressPlan.Mark);
        _epoll.AddReadable(wake.Descriptor, MailboxToken);
        _epoll.AddReadable(_watch.Descriptor, NetworkToken);
        _virtual = [.. settings.Instances.SelectMany(i => i.Addresses).Select(a => a.Address)];
        Lateness = new(settings.Instances.Min(i => i.AdvertInterval) / 2, time);
        ulong token = FirstLinkToken;
        _links = [.. settings.Instances.Select(i => (i.Interface, FamilyOf(i))).Distinct().Select(l => new VrrpLink(l.Interface, l.Item2, _epoll, token++))];
        _instances = [.. settings.Instances.Select(i => new Instance(i, LinkOf(i), talk.Peers, setting.Secrets, this))];
        foreach (Instance instance in _instances)
            LinkOf(instance.Configured).Instances.Add(instance);
        foreach (SyncGroup group in settings.SyncGroups)
            _ = new JudgeGroup([.. group.Instances.Select(name => Find(name)!.Judge)]); // its members know it
    }

    public TimeProvider Time { get; }

    /// <summary>Any thread may read it.</summary>
    public Lateness Lateness { get; }

    /// <summary>In the order of the file. Any thread.</summary>
    public IReadOnlyList<Instance> Instances => _instances;

    /// <summary>Where packets went to: our own addresses and the groups.</summary>
    public SenderBook Destinations { get; } = new();

    /// <summary>Since the machine's start.</summary>
    public TimeSpan Now => Time.GetElapsedTime(0);

    public bool IsStopping { get; private set; }


    /// <summary>Times that it waited and acted.</summary>
    public long Turns { get; private set; }

    /// <summary>Finds the interfaces and starts what can start.</summary>
    public void Open()
    {
        PublishRoles();
        _talk.Open(_epoll); // first of all: who does not get the port runs here twice, and what it would find left over is the other's
        foreach (string left in Leftovers.Remove(_network))
            Say(new AddressTrouble("failover", left));
        // Nothing is done yet that could wait: a gate that a former life left closed would shut out an address that has none now.
        Gate.RemoveAllAsync(Time, CancellationToken.None).Wait(GatePatience);
        LookAgain();
        foreach (Instance instance in _instances)
            instance.Start(Now);
        _due = Now;
    }

    /// <summary>Until it is told to stop.</summary>
    public void Run()
    {
        while (!IsStopping)
        {
            try
            {
                Turn();
            }
#pragma warning disable CA1031 // whatever it is: the addresses are ours as long as we speak
            catch (Exception e)
#pragma warning restore CA1031
            {
                Recover(e);
            }
        }
    }

    // What lasts would have a thread of real-time priority take a processor whole, and fill the log.
    private void Recover(Exception e)
    {
        if (e.Message != _saidLast)
            Say(new TurnBroke(e));
        _saidLast = e.Message;
        _wake.Signal(); // letters that were not read yet
        _breather.WaitOne(AfterTrouble);
    }

    /// <summary>Waits, hears, acts.</summary>
    public void Turn()
    {
        int events = _epoll.Wait(MillisecondsUntil(_due));
        TimeSpan now = Now;
        Turns++;
        Lateness.Note(_due, now);
        for (int i = 0; i < events; i++)
            Take(_epoll.Token(i), now);
        foreach (Instance instance in _instances)
            instance.Tick(now);
        if (now >= _talk.Due || _hasNews)
            SayHeartbeats(now);
        _due = NextDue(now);
    }

    /// <summary>Gives everything up, and says so.</summary>
    public void Stop()
    {
        IsStopping = true; // whatever fails below must not keep us here
        TimeSpan now = Now;
        foreach (Instance instance in _instances)
            instance.Stop(now);
        for (int i = 0; i < Goodbyes; i++)
            SayHeartbeats(now);
    }

    /// <summary>Tells somebody who has time.</summary>
    public void Say(News news) => _news.TryWrite(news);

    /// <summary>Makes it known which addresses are ours, here and to the peers.</summary>
    public void RoleChanged()
    {
        PublishRoles();
        _hasNews = true;
    }

    /// <summary>Says something else of a handover, without waiting for the next heartbeat.</summary>
    public void SayAtOnce(string instance, HandoverWord word)
    {
        Find(instance)!.Judge.HandoverSays = word;
        _hasNews = true;
    }

    public Instance? Find(string name) => Array.Find(_instances, i => i.Configured.Name == name);

    public void Dispose()
    {
        foreach (Instance instance in _instances)
            instance.Dispose();
        foreach (VrrpLink link in _links)
            link.Dispose();
        _talk.Dispose();
        _watch.Dispose();
        _network.Dispose();
        _epoll.Dispose();
        _breather.Dispose();
    }

    private void Take(ulong token, TimeSpan now)
    {
        switch (token)
        {
            case MailboxToken:
                _wake.Clear();
                while (_mailbox.TryDequeue(out Action<FailoverLoop>? letter))
                    letter(this);
                break;
            case NetworkToken:
                Hear(_watch.Read(TimeSpan.Zero), now);
                break;
            case < FirstLinkToken:
                _talk.Receive(token, _instances, now);
                break;
            default:
                _links[token - FirstLinkToken].Receive(now);
                break;
        }
    }

    private void Hear(IReadOnlyList<NetworkEvent> changes, TimeSpan now)
    {
        if (changes.Any(change => change.IsOverrun || change.Link is not null || change.Address is not null))
            LookAgain();
        foreach (NetworkEvent change in changes)
        {
            foreach (Instance instance in _instances)
                instance.Hear(change, now);
        }
    }

    private void SayHeartbeats(TimeSpan now)
    {
        _hasNews = false;
        _talk.Say(_instances, now);
    }

    // No earlier than now: what is overdue is so because of what this turn did, and not late.
    private TimeSpan NextDue(TimeSpan now)
    {
        TimeSpan due = now + LongestWait;
        due = _talk.Due < due ? _talk.Due : due;
        foreach (Instance instance in _instances)
            due = instance.Due < due ? instance.Due : due;
        return due < now ? now : due;
    }

    private void PublishRoles() =>
        _board.Publish(new(_board.Current.Version + 1, _instances.Where(i => i.Role != Role.Active).Select(i => i.Configured)));

    private void LookAgain()
    {
        IReadOnlyList<NetworkLink> links = _network.Links();
        IReadOnlyList<NetworkAddress> addresses = _network.Addresses();
        foreach (VrrpLink link in _links)
            link.LookAgain(links, addresses, _virtual.Contains);
        foreach (Instance instance in _instances)
            instance.LookAgain(Now);
    }

    private VrrpLink LinkOf(HaInstance instance) => Array.Find(_links, l => l.Name == instance.Interface && l.Family == FamilyOf(instance))!;

    // Rounded up: a wait that ends too early is waited again.
    private int MillisecondsUntil(TimeSpan due) => (int)long.Clamp((due - Now + TimeSpan.FromMilliseconds(1) - TimeSpan.FromTicks(1)).Ticks / TimeSpan.TicksPerMillisecond, 0, 60_000);

    /// <summary>Of the addresses that an instance advertises.</summary>
    public static AddressFamily FamilyOf(HaInstance instance) => instance.Addresses.First(a => !a.IsExcluded).Address.AddressFamily;
}
