using Bascule.Core.Model;

namespace Bascule.Core.Config;

/// <summary>How a state is written, of a real server and of a virtual server alike.</summary>
internal static class StateForm
{
    public static ChoiceForm<AdministrativeState> Instance { get; } = new(
        new(AdministrativeState.Enabled.Word(), AdministrativeState.Enabled, "It works as check and weight say.", "enabled", "up", "ready", "true", "on"),
        new(AdministrativeState.Drain.Word(), AdministrativeState.Drain, "No new clients; who has a connection or a session there goes on until it ends.", "draining", "quiesce", "quiesced", "soft"),
        new(AdministrativeState.Maintenance.Word(), AdministrativeState.Maintenance, "Counts as down whatever the check says; sessions move elsewhere, open connections finish.", "maint", "disabled", "disable", "down", "false", "off"));
}
