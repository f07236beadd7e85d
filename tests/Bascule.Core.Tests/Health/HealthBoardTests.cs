using System.Net;
using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Core.Tests.Model;
using Bascule.Testing;

namespace Bascule.Core.Tests.Health;

public sealed class HealthBoardTests
{
    private readonly HealthBoard _board = new(new ManualClock());

    [Fact]
    public void The_same_question_to_the_same_real_server_is_one_record() =>
        Assert.Same(_board.Find(Sample.Check, Sample.One), _board.Find(Sample.Check, new IPEndPoint(Sample.One.Address, Sample.One.Port)));

    [Fact]
    public void Another_question_or_another_real_server_is_another_record()
    {
        HealthRecord? record = _board.Find(Sample.Check, Sample.One);

        Assert.NotSame(record, _board.Find(Sample.Check, Sample.Two));
        Assert.NotSame(record, _board.Find(Sample.Check with { Headers = [new("X-Probe", "2")] }, Sample.One));
        Assert.NotSame(record, _board.Find(Sample.Check with { Port = 81 }, Sample.One));
    }

    [Fact]
    public void No_check_has_no_record() => Assert.Null(_board.Find(null, Sample.One));

    [Fact]
    public void Records_shared_by_virtual_servers_are_listed_once()
    {
        Snapshot snapshot = Snapshot.First(Sample.Configuration(Sample.Web, Sample.Api), workers: 1, _board);

        Assert.Equal([Sample.One, Sample.Two], snapshot.HealthRecords.Select(r => r.RealServer));
    }

    [Fact]
    public void Forgets_only_what_no_virtual_server_reads_any_more()
    {
        Snapshot before = Snapshot.First(Sample.Configuration(Sample.Web), workers: 1, _board);
        HealthRecord stays = before.VirtualServers[0].RealServers[1].Health!;
        HealthRecord goes = before.VirtualServers[0].RealServers[0].Health!;

        _board.Forget(before.Next(Sample.Configuration(Sample.Web with { RealServers = [new(Sample.Two, 1)] }), _board));

        Assert.Same(stays, _board.Find(Sample.Check, Sample.Two));
        Assert.NotSame(goes, _board.Find(Sample.Check, Sample.One));
    }
}
