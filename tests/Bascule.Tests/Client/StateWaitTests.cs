using Bascule.Client;
using Bascule.Core.Api;
using Bascule.Core.Model;

namespace Bascule.Tests.Client;

public sealed class StateWaitTests
{
    [Theory]
    [InlineData(RealServerState.Up, true)]
    [InlineData(RealServerState.Full, true)]
    [InlineData(RealServerState.Standby, true)]
    [InlineData(RealServerState.Quiesced, true)]
    [InlineData(RealServerState.Down, false)]
    [InlineData(RealServerState.Ejected, false)]
    [InlineData(RealServerState.Drain, false)]
    [InlineData(RealServerState.Maintenance, false)]
    public void Enabling_is_done_when_nothing_more_will_come_of_waiting(RealServerState state, bool isDone) =>
        Assert.Equal(isDone, StateWait.IsDone(Progress(state, connections: 1, sessions: 1), AdministrativeState.Enabled));

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)]
    [InlineData(0, 1, false)]
    public void Draining_is_done_when_nobody_is_left(long connections, long sessions, bool isDone) =>
        Assert.Equal(isDone, StateWait.IsDone(Progress(RealServerState.Drain, connections, sessions), AdministrativeState.Drain));

    private static StateProgress Progress(RealServerState state, long connections, long sessions) =>
        new() { Name = "web/10.0.0.11:80", State = AdministrativeState.Enabled, Is = state, Connections = connections, Sessions = sessions };
}
