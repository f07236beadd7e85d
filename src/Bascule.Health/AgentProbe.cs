using System.Net;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>What does the agent that runs on it say?</summary>
internal sealed class AgentProbe(AgentCheck check, IPEndPoint target) : ConversationProbe(target)
{
    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        if (check.Question is { } question)
            await talk.SendAsync(question.AsImmutableArray().AsMemory(), cancellation);
        return AgentAnswer.Read(await talk.ReadLastLineAsync(cancellation));
    }
}
