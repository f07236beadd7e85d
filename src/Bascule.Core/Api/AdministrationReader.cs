using Bascule.Core.Model;
using Bascule.Core.States;

namespace Bascule.Core.Api;

/// <summary>Who said what of whom, for status and tables.</summary>
internal static class AdministrationReader
{
    /// <summary>Of a virtual server as a whole; null when nobody said anything.</summary>
    public static AdministrationStatus? Of(VirtualServer virtualServer, StateBook? states) =>
        Said(states?.Of(new(virtualServer.Name, null)), virtualServer.State, ofVirtualServer: false);

    /// <summary>Of a real server: what counts for it, whoever said it; null when nobody said anything.</summary>
    public static AdministrationStatus? Of(VirtualServer virtualServer, RealServer realServer, LiveRealServer live, StateBook? states)
    {
        AdministrationStatus? own = Said(states?.Of(new(virtualServer.Name, realServer.Address)), realServer.State, ofVirtualServer: false);
        AdministrationStatus? whole = Said(states?.Of(new(virtualServer.Name, null)), virtualServer.State, ofVirtualServer: true);
        AdministrationStatus? said = whole is not null && whole.State > StateOf(own) ? whole : own;
        return live.EffectiveState > StateOf(said)
            ? new(live.EffectiveState, AdministrationSource.Check, null, null, live.Health?.Last?.Why, OfVirtualServer: false)
            : said;
    }

    private static AdministrativeState StateOf(AdministrationStatus? said) => said?.State ?? AdministrativeState.Enabled;

    private static AdministrationStatus? Said(StateOrder? order, AdministrativeState configured, bool ofVirtualServer) => order switch
    {
        not null => new(order.State, AdministrationSource.Command, order.By, order.At, order.Why.Length == 0 ? null : order.Why, ofVirtualServer),
        null when configured != AdministrativeState.Enabled => new(configured, AdministrationSource.File, null, null, null, ofVirtualServer),
        null => null,
    };
}
