using Bascule.Core.Health;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Model;

public sealed class OwnCheckTests
{
    private static readonly TcpCheck Other = new() { Interval = TimeSpan.FromSeconds(7) };

    [Fact]
    public void A_real_server_is_asked_its_own_question_the_virtual_server_s_or_none()
    {
        VirtualServer web = Sample.Web with
        {
            RealServers = [new(new(Sample.One.Address, 1), 1), new(new(Sample.One.Address, 2), 1) { Check = Other }, new(new(Sample.One.Address, 3), 1) { Check = new OnCheck() }],
        };

        Snapshot snapshot = Snapshot.First(Sample.Configuration(web), workers: 1, new HealthBoard(TimeProvider.System));

        Assert.Equal([web.Check, Other, null], snapshot.VirtualServers[0].HealthRecords.Select(record => record?.Check));
    }
}
