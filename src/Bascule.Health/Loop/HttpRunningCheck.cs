using Bascule.Core.Health;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Epoll;

namespace Bascule.Health.Loop;

/// <summary>Sends one request over a connection of its own, and reads the answer: does it answer as expected? By the loop's own thread, without
/// allocating unless somebody looks at the body.</summary>
internal sealed class HttpRunningCheck(HttpCheck check, HealthRecord record, HealthLoop loop) : TcpRunningCheck(record, loop)
{
    private HttpQuestion? _question;
    private HttpAnswer? _answer;
    private byte[] _request = [];
    private int _sent;

    /// <summary>Whether the check is one request over plain TCP.</summary>
    public static bool CanAsk(HttpCheck check) => check.Tls is null;

    /// <inheritdoc/>
    protected override void Ask()
    {
        if (_question is null)
        {
            _question = new(check, Target);
            _answer = _question.NewAnswer(Loop.Memory);
            _request = [.. Header, .. _question.Request];
        }

        _sent = 0;
        base.Ask();
    }

    /// <inheritdoc/>
    protected override void Forget() => _answer?.Reset();

    /// <inheritdoc/>
    protected override void Talk(Readiness readiness)
    {
        if (_sent < _request.Length && !Send())
            return;
        // Nothing has come yet when it has only become writable; every arrival is told anew.
        if ((readiness & ~Readiness.Write) != 0)
            Receive(_question!, _answer!, mayHaveMore: (readiness & ~(Readiness.Read | Readiness.Write)) != 0);
    }

    /// <returns>Whether everything is sent.</returns>
    private bool Send()
    {
        IoResult result = Socket.Send(_request.AsSpan(_sent));
        if (result.IsError)
        {
            Finish(SocketVerdict.On(result.Error));
            return false;
        }

        _sent += result.Count;
        return _sent == _request.Length; // the rest when there is room again
    }

    private void Receive(HttpQuestion question, HttpAnswer answer, bool mayHaveMore)
    {
        while (true)
        {
            IoResult result = Socket.Receive(Loop.Scratch);
            if (result.WouldBlock)
                return;
            if (result.IsError)
            {
                Finish(SocketVerdict.On(result.Error));
                return;
            }

            if (result.IsEnd)
                answer.Close();
            else
                answer.Take(Loop.Scratch.AsSpan(0, result.Count));
            if (question.VerdictOn(answer) is { } verdict)
            {
                Finish(verdict);
                return;
            }

            // It has given all it had; the next arrival is told anew. The end was told already, and urgent bytes cut what is received in two.
            if (!mayHaveMore && result.Count < Loop.Scratch.Length)
                return;
        }
    }
}
