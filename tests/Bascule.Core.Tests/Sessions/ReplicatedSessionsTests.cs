using System.Net;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Sessions;

public sealed class ReplicatedSessionsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private readonly ManualClock _clock = new();
    private readonly Side _a;
    private readonly Side _b;

    public ReplicatedSessionsTests()
    {
        _a = new(_clock, Web);
        _b = new(_clock, Web);
        _a.Tell(); // the channel has asked once
        _b.Tell();
    }

    private static VirtualServer Web => Sample.Web with { Check = null, Scheduler = SchedulerKind.RoundRobin, Persistence = new SourcePersistence() };

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    public void A_new_client_returns_to_the_same_real_server_on_the_peer(string client)
    {
        _a.Visit("192.0.2.99"); // so that the peer's own turn would be another
        IPEndPoint chosen = _a.Visit(client);

        _b.Hear(_a.Tell());

        Assert.Equal(chosen, _b.Visit(client));
    }

    [Fact]
    public void A_client_is_told_once_and_not_at_each_request()
    {
        _a.Visit("192.0.2.1");
        Assert.Single(_a.Tell());

        for (int i = 0; i < 100; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(300));
            _a.Visit("192.0.2.1");
            Assert.Empty(_a.Tell());
        }
    }

    [Fact]
    public void His_age_is_told_after_an_eighth_of_the_timeout_and_he_lives_on_at_the_peer()
    {
        IPEndPoint chosen = _a.Visit("192.0.2.1");
        _b.Hear(_a.Tell());
        for (int i = 0; i < 20; i++)
        {
            _clock.Advance(Timeout / 8);
            _a.Visit("192.0.2.1");
            _b.Hear(_a.Tell());
        }

        _clock.Advance(Timeout * 0.8);

        Assert.Equal(chosen, _b.Visit("192.0.2.1"));
    }

    [Fact]
    public void One_who_stays_connected_lives_on_at_the_peer()
    {
        _a.Visit("192.0.2.99");
        IPEndPoint chosen = _a.Arrive("192.0.2.1");
        for (int i = 0; i < 20; i++)
        {
            _b.Hear(_a.Tell());
            _clock.Advance(Timeout / 4);
        }

        Assert.Equal(chosen, _b.Visit("192.0.2.1"));
    }

    [Fact]
    public void He_grows_old_at_the_peer_as_he_does_here()
    {
        _a.Visit("192.0.2.1");
        _clock.Advance(Timeout / 2);
        _b.Hear(_a.Tell());
        Assert.Equal(1, _b.Count);

        _clock.Advance(Timeout / 2);

        Assert.Equal(0, _b.Count);
    }

    [Fact]
    public void One_who_moved_is_told_at_once_and_the_fresher_word_wins()
    {
        IPEndPoint first = _a.Visit("192.0.2.1");
        _b.Hear(_a.Tell());
        byte[][] old = _a.Everything();
        _clock.Advance(TimeSpan.FromSeconds(1));

        IPEndPoint moved = _a.VisitElsewhere("192.0.2.1");
        _b.Hear(_a.Tell());
        Assert.NotEqual(first, moved);

        _b.Hear(old.Select(e => Aged(e, 1000)).ToArray());
        Assert.Equal(moved, _b.Visit("192.0.2.1"));
    }

    [Fact]
    public void What_the_peer_said_is_not_told_back()
    {
        _a.Visit("192.0.2.1");
        _b.Hear(_a.Tell());

        Assert.Empty(_b.Tell());
    }

    [Fact]
    public void What_was_there_before_anybody_asked_is_told_with_the_first_question()
    {
        Side early = new(_clock, Web);
        early.Visit("192.0.2.1");

        Assert.Single(early.Tell());
        Assert.Single(early.Everything());
    }

    [Fact]
    public void A_peer_that_has_just_come_gets_everybody_with_his_age()
    {
        _a.Visit("192.0.2.1");
        _clock.Advance(Timeout / 2);
        _a.Visit("192.0.2.2");

        _b.Hear(_a.Everything());

        Assert.Equal(2, _b.Count);
        _clock.Advance(Timeout / 2);
        Assert.Equal(1, _b.Count);
    }

    [Fact]
    public void Virtual_servers_and_real_servers_that_are_unknown_here_are_passed_over()
    {
        Side other = new(_clock, Web with { RealServers = [new(Sample.Three, 1)] }, Web with { Name = "api", Address = new(IPAddress.Parse("192.0.2.10"), 81) });
        other.Tell();
        other.Visit("192.0.2.1");
        other.Visit("192.0.2.1", virtualServer: 1);

        Assert.Equal(2, _b.Hear(other.Tell()));

        Assert.Equal(0, _b.Count);
    }

    [Fact]
    public void A_client_who_is_here_now_stays_where_he_is_whatever_the_peer_says()
    {
        _a.Visit("192.0.2.99");
        IPEndPoint here = _b.Arrive("192.0.2.1");
        Assert.NotEqual(here, _a.Visit("192.0.2.1"));

        _b.Hear(_a.Tell());

        Assert.Equal(here, _b.Visit("192.0.2.1"));
    }

    [Fact]
    public void More_clients_than_anybody_can_tell_in_one_go_are_all_told()
    {
        for (int i = 0; i < 20_000; i++)
            _a.Visit($"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}");

        _b.Hear(_a.Tell());

        Assert.Equal(20_000, _b.Count);
    }

    [Fact]
    public void Hostile_bytes_are_refused_and_change_nothing()
    {
        _a.Visit("192.0.2.1");
        byte[] good = Assert.Single(_a.Tell());
        Random random = new(5);
        for (int length = 0; length < good.Length; length++)
            Assert.Equal(0, _b.Hear([good[..length]]));
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = [.. good];
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            _b.Hear([bad]);
        }

        Assert.True(_b.Count <= 20_001);
    }

    [Fact]
    public void Clients_who_return_cost_no_allocation_while_the_peer_is_told()
    {
        VisitAll();
        _clock.Advance(Timeout / 4);

        long before = GC.GetAllocatedBytesForCurrentThread();
        VisitAll();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.Equal(1000, _a.Tell().Length);

        void VisitAll()
        {
            for (uint i = 0; i < 1000; i++)
                _a.Visit(new ClientAddress(0, i, 1, IsIpv4: true));
        }
    }

    /// <summary>The entry, said so many milliseconds later.</summary>
    private static byte[] Aged(byte[] entry, uint by)
    {
        byte[] aged = [.. entry];
        Span<byte> age = aged.AsSpan()[^4..];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(age, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(age) + by);
        return aged;
    }
}
