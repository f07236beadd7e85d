using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>What does the agent that runs on it say?</summary>
internal static class AgentKind
{
    public static readonly Setting<ValueList<byte>> Question = new("agentSend", new BytesForm(4096))
    {
        Doc = "agent: text sent to the agent before it speaks. In double quotes `\\n` ends a line.",
        Otherwise = "nothing is sent",
        Source = "HAProxy agent-send",
        Example = "agentSend: \"shop\\n\"",
        AlsoCalled = ["agent-send"],
        MayBeSecret = true,
    };

    public static readonly CheckKind Kind = new("agent", "What does the agent that runs on it say, at `port`? It answers with a line of words as for HAProxy: `75%`, `up`, `ready`, `drain`, `maint`, `down`, `stopped`, `fail`, and beyond that `load: 0.75`, which moves the weight as `loadWeight` of a script does.", "agent-check", "agent_check")
    {
        Settings = [Question],
        Meant = fields => new AgentCheck { Question = fields.Find(Question) },
    };
}
