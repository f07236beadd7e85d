using System.Net;
using Bascule.Core.Model;
using Bascule.Vrrp.Peers;

namespace Bascule.Vrrp.Tests;

/// <summary>A director that runs makes no garbage: the collector never has a reason to stop the failover thread.</summary>
public sealed class AllocationTests
{
    private const int Rounds = 100_000;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(25);
    private static readonly IPAddress Source = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Group = IPAddress.Parse("224.0.0.18");
    private static readonly IPAddress[] Vip = [IPAddress.Parse("192.0.2.10")];

    private readonly PeerView _ours = new("a", "b", 2, "the key of both"u8, Heartbeat, new(1));
    private readonly PeerView _theirs = new("b", "a", 2, "the key of both"u8, Heartbeat, new(2));
    private readonly Judge _judge;
    private readonly Judge _synced;
    private readonly Judge _peer;
    private readonly HmacTrailer _sends = Trailer();
    private readonly HmacTrailer _receives = Trailer();
    private readonly HeartbeatInstance[] _says = new HeartbeatInstance[2];
    private readonly byte[] _buffer = new byte[AdvertisementCodec.MaxLength];
    private TimeSpan _now = TimeSpan.FromHours(12);
    private int _changes;

    public AllocationTests()
    {
        _judge = new(Instances.Named("web-vip"), [_ours]);
        _synced = new(Instances.Named("inside-vip"), [_ours]);
        _peer = new(Instances.Named("web-vip") with { Priority = 200 }, [_theirs]);
        _ = new JudgeGroup([_judge, _synced]);
        foreach (Judge judge in (Judge[])[_judge, _synced, _peer])
        {
            judge.SetWell(Judge.OwnInterface, true, _now);
            judge.Start(_now);
        }
    }

    [Fact]
    public void Nothing_is_allocated_while_heartbeats_and_advertisements_come_and_go_and_roles_change()
    {
        Live(1000);

        // Once the runtime has settled how it compiles what it has seen run: that costs this thread some bytes, once.
        long least = long.MaxValue;
        for (int i = 0; i < 5 && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Live(Rounds);
            least = long.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.True(_changes > 100, $"only {_changes} changes of role");
    }

    private static HmacTrailer Trailer() =>
        new(new([], 1, HmacMode.Enforce, TimeSpan.FromSeconds(5)), new Dictionary<byte, byte[]> { [1] = new byte[32] });

    private void Live(int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            _now += Heartbeat;
            if (i % 400 == 399)
                _changes += _peer.HandOver(_now) != VrrpActions.None ? 1 : 0;
            if (i % 400 == 200)
                _changes += _judge.HandOver(_now) != VrrpActions.None ? 1 : 0;
            if (i % 1000 == 999)
                _synced.SetWell(Judge.OwnInterface, i % 2000 != 999, _now);
            Turn(_judge, _now);
            Turn(_synced, _now);
            Turn(_peer, _now);
            Exchange();
        }
    }

    private void Turn(Judge judge, TimeSpan now)
    {
        if (now >= judge.Due && (judge.Tick(now) & VrrpActions.Advertise) != 0)
            Advertise(judge);
    }

    private void Advertise(Judge from)
    {
        DateTimeOffset utcNow = DateTimeOffset.UnixEpoch + _now;
        int length = AdvertisementCodec.Encode(from.Advertisement, Vip, Source, Group, ChecksumForm.PseudoHeader, [], _buffer, _sends, utcNow);
        DecodeError error = AdvertisementCodec.TryDecode(_buffer.AsSpan(0, length), VrrpVersion.V3, Source, Group, [], out Advertisement heard, out _, _receives, utcNow);
        if (error != DecodeError.None)
            throw new InvalidOperationException();
        if (from == _peer)
            _judge.Hear(heard, 1, _now);
        else
            _peer.Hear(heard, -1, _now);
    }

    private void Exchange()
    {
        _ours.BeginRound();
        _theirs.BeginRound();
        (_says[0], _says[1]) = (_judge.Says, _synced.Says);
        for (int link = 0; link < 2; link++)
        {
            int length = _ours.Write(link, _says, _now, _buffer);
            if (_theirs.Hear(link, _buffer.AsSpan(0, length), _now) == HeartbeatOutcome.Taken)
                _peer.HearPeer(_theirs, _now);
        }

        _says[0] = _peer.Says;
        for (int link = 0; link < 2; link++)
        {
            int length = _theirs.Write(link, _says.AsSpan(0, 1), _now, _buffer);
            if (_ours.Hear(link, _buffer.AsSpan(0, length), _now) == HeartbeatOutcome.Taken)
                _judge.HearPeer(_ours, _now);
        }
    }
}
